package picture

import (
	"encoding/binary"
	"image"
)

// turn is how a camera was held: the tag Orientation of Exif 2.32, 1-8.
type turn uint16

const upright turn = 1

// swaps reports whether width and height change places.
func (t turn) swaps() bool { return t >= 5 }

// place returns where a pixel of a picture of the size belongs.
func (t turn) place(x, y, w, h int) image.Point {
	switch t {
	case 2: // mirrored
		return image.Pt(w-1-x, y)
	case 3: // upside down
		return image.Pt(w-1-x, h-1-y)
	case 4: // upside down, mirrored
		return image.Pt(x, h-1-y)
	case 5: // on its side, mirrored
		return image.Pt(y, x)
	case 6: // to be turned clockwise
		return image.Pt(h-1-y, x)
	case 7: // to be turned clockwise, mirrored
		return image.Pt(h-1-y, w-1-x)
	case 8: // to be turned anticlockwise
		return image.Pt(y, w-1-x)
	}
	return image.Pt(x, y)
}

// orientation reads the tag from a JPEG file. What is not as it should be is upright:
// the tag is a hint.
func orientation(file []byte) turn {
	for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker, size := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		if marker == 0xda || size < 2 || len(rest) < 2+size { // the picture begins, or the file is cut
			break
		}
		if segment := rest[4 : 2+size]; marker == 0xe1 && len(segment) > 6 && string(segment[:6]) == "Exif\x00\x00" {
			return exifOrientation(segment[6:])
		}
		rest = rest[2+size:]
	}
	return upright
}

// The form of Exif: a TIFF header, then directories of entries of 12 bytes.
const (
	entrySize      = 12
	tagOrientation = 0x0112
	typeShort      = 3
)

func exifOrientation(b []byte) turn {
	if len(b) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return upright
	}
	n := int(order.Uint16(b[at:]))
	for entries := b[at+2:]; n > 0 && len(entries) >= entrySize; n-- {
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if t := turn(order.Uint16(entries[8:])); t >= 1 && t <= 8 {
				return t
			}
			return upright
		}
		entries = entries[entrySize:]
	}
	return upright
}
