package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"foresight/internal/fault"
)

var (
	red  = color.NRGBA{R: 255, A: 255}
	blue = color.NRGBA{B: 255, A: 255}
)

// corner is a blue picture with a red square in the upper left.
func corner(w, h int) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := blue
			if x < w/2 && y < h/2 {
				c = red
			}
			out.SetNRGBA(x, y, c)
		}
	}
	return out
}

func asPNG(t testing.TB, i image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, i); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, i image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, i, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an Exif segment with orientation and a secret into a JPEG file.
func withExif(file []byte, order binary.AppendByteOrder, t uint16) []byte {
	tiff := []byte("II*\x00")
	if order.String() == "BigEndian" {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, e := range []struct{ tag, value uint16 }{{0x0100, 7}, {tagOrientation, t}} {
		tiff = order.AppendUint16(tiff, e.tag)
		tiff = order.AppendUint16(tiff, typeShort)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, e.value)
		tiff = order.AppendUint16(tiff, 0)
	}
	segment := append([]byte("Exif\x00\x00"), tiff...)
	segment = append(segment, "48.1372N 11.5756E"...)
	out := append([]byte{}, file[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(segment)+2))
	return append(append(out, segment...), file[2:]...)
}

func decoded(t testing.TB, p *Picture) image.Image {
	t.Helper()
	i, format, err := image.Decode(bytes.NewReader(p.Content))
	if err != nil || "image/"+format != p.ContentType || i.Bounds().Dx() != p.Width || i.Bounds().Dy() != p.Height {
		t.Fatalf("%s %dx%d decodes as %s %v: %v", p.ContentType, p.Width, p.Height, format, i, err)
	}
	return i
}

// redAt names the quarter that is red.
func redAt(i image.Image) string {
	w, h := i.Bounds().Dx(), i.Bounds().Dy()
	for name, at := range map[string]image.Point{"upper left": {w / 4, h / 4}, "upper right": {w * 3 / 4, h / 4},
		"lower left": {w / 4, h * 3 / 4}, "lower right": {w * 3 / 4, h * 3 / 4}} {
		if r, _, b, _ := i.At(at.X, at.Y).RGBA(); r > 0xc000 && b < 0x4000 {
			return name
		}
	}
	return "nowhere"
}

func TestPhotographsStandUpright(t *testing.T) {
	for orientation, want := range map[uint16]string{0: "upper left", 1: "upper left", 2: "upper right", 3: "lower right", 4: "lower left",
		5: "upper left", 6: "upper right", 7: "lower right", 8: "lower left", 9: "upper left"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			p, err := Make(withExif(asJPEG(t, corner(64, 32)), order, orientation))
			if err != nil {
				t.Fatal(err)
			}
			w, h := 64, 32
			if orientation >= 5 && orientation <= 8 {
				w, h = 32, 64
			}
			if got := redAt(decoded(t, p)); got != want || p.Width != w || p.Height != h {
				t.Errorf("orientation %d: red is %s of %dx%d, want %s of %dx%d", orientation, got, p.Width, p.Height, want, w, h)
			}
			if bytes.Contains(p.Content, []byte("48.1372N")) || bytes.Contains(p.Content, []byte("Exif")) {
				t.Error("the place is still in the file")
			}
		}
	}
}

func TestWhatIsKept(t *testing.T) {
	see := corner(20, 10)
	see.SetNRGBA(19, 9, color.NRGBA{})
	for name, c := range map[string]struct {
		file          []byte
		contentType   string
		width, height int
	}{
		"a photograph":           {asJPEG(t, corner(20, 10)), "image/jpeg", 20, 10},
		"a picture":              {asPNG(t, corner(20, 10)), "image/jpeg", 20, 10},
		"one with a hole":        {asPNG(t, see), "image/png", 20, 10},
		"a large one":            {asPNG(t, corner(4096, 1024)), "image/jpeg", 2048, 512},
		"a very long one":        {asPNG(t, corner(20000, 2)), "image/jpeg", 2048, 1},
		"one with more behind":   {append(asPNG(t, corner(20, 10)), "<script>"...), "image/jpeg", 20, 10},
		"one of the least size":  {asPNG(t, corner(1, 1)), "image/jpeg", 1, 1},
		"one with a long tail":   {append(asJPEG(t, corner(20, 10)), make([]byte, 1000)...), "image/jpeg", 20, 10},
		"one of palette colours": {asPNG(t, image.NewPaletted(image.Rect(0, 0, 5, 5), color.Palette{red, blue})), "image/jpeg", 5, 5},
	} {
		p, err := Make(c.file)
		if err != nil || p.ContentType != c.contentType || p.Width != c.width || p.Height != c.height {
			t.Errorf("%s: %+v, %v", name, p, err)
			continue
		}
		decoded(t, p)
		if bytes.Contains(p.Content, []byte("<script>")) {
			t.Errorf("%s: what stood behind it is kept", name)
		}
	}
}

// claims is a PNG file of a few bytes that claims a size.
func claims(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 6, 0, 0, 0)
	b = append(binary.BigEndian.AppendUint32(b, 13), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestWhatIsRefused(t *testing.T) {
	whole := asJPEG(t, corner(64, 64))
	for name, c := range map[string]struct {
		file []byte
		key  string
	}{
		"nothing":               {nil, "error.image.format"},
		"a text":                {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "error.image.format"},
		"a GIF":                 {[]byte("GIF89a\x01\x00\x01\x00"), "error.image.format"},
		"half a photograph":     {whole[:len(whole)/2], "error.image.format"},
		"the beginning of one":  {whole[:3], "error.image.format"},
		"a bomb":                {claims(60000, 60000), "error.image.pixels"},
		"a bomb that overflows": {claims(1<<31-1, 1<<31-1), "error.image.format"},
		"a picture of nothing":  {claims(10, 10), "error.image.format"},
		"too many bytes":        {make([]byte, MaxBytes+1), "error.image.tooLarge"},
	} {
		_, err := Make(c.file)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.BadInput || f.Key != c.key {
			t.Errorf("%s: %v, want %s", name, err, c.key)
		}
	}
}

// No bytes make it panic, and what it gives can be shown.
func FuzzMake(f *testing.F) {
	f.Add(asPNG(f, corner(3, 2)))
	f.Add(withExif(asJPEG(f, corner(8, 8)), binary.LittleEndian, 6))
	f.Add(claims(60000, 60000))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Make(b); err == nil {
			decoded(t, p)
		} else if !fault.Is(err, fault.BadInput) {
			t.Error(err)
		}
	})
}
