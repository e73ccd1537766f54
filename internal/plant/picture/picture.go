// Package picture makes pictures that people upload safe to keep and to show: it
// decodes them, turns them upright, shrinks what is larger than a screen needs, and
// encodes them anew, so that nothing of the file that came is kept but its pixels: no
// position, no camera, no second file behind the first.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"foresight/internal/fault"
)

// Limits of what is decoded.
const (
	MaxBytes  = 10 << 20   // of the file that comes
	MaxPixels = 30_000_000 // a picture of which takes about 120 MB while it is worked on
	maxSide   = 2048       // of the picture that is kept
)

// Picture is a file to be kept.
type Picture struct {
	Content       []byte
	ContentType   string // image/jpeg or image/png
	Extension     string // jpg or png
	Width, Height int    // pixels
}

// Make reads a JPEG or PNG file. What it cannot take is a fault of the kind BadInput.
// Its size is known before its pixels are decoded, so that a small file cannot claim
// much memory. The caller bounds how many run at once.
func Make(file []byte) (*Picture, error) {
	if len(file) > MaxBytes {
		return nil, fault.New(fault.BadInput, "error.image.tooLarge").With("Max", MaxBytes>>20)
	}
	var decode func([]byte) (image.Image, error)
	var config image.Config
	var err error
	turn := upright
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8\xff")):
		config, err = jpeg.DecodeConfig(bytes.NewReader(file))
		decode = func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }
		turn = orientation(file)
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		config, err = png.DecodeConfig(bytes.NewReader(file))
		decode = func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }
	default:
		err = errors.New("neither JPEG nor PNG")
	}
	if err != nil {
		return nil, fault.New(fault.BadInput, "error.image.format").Because(err)
	}
	if w, h := int64(config.Width), int64(config.Height); w < 1 || h < 1 || w*h > MaxPixels {
		return nil, fault.New(fault.BadInput, "error.image.pixels").With("Max", MaxPixels/1_000_000)
	}
	pixels, err := decode(file)
	if err != nil {
		return nil, fault.New(fault.BadInput, "error.image.format").Because(err)
	}
	return encode(turned(shrunk(pixels), turn))
}

// shrunk copies a picture at the size that is kept.
func shrunk(in image.Image) *image.NRGBA {
	w, h := in.Bounds().Dx(), in.Bounds().Dy()
	if long := max(w, h); long > maxSide {
		w, h = max(1, w*maxSide/long), max(1, h*maxSide/long)
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	if w == in.Bounds().Dx() && h == in.Bounds().Dy() {
		draw.Draw(out, out.Bounds(), in, in.Bounds().Min, draw.Src)
	} else {
		draw.ApproxBiLinear.Scale(out, out.Bounds(), in, in.Bounds(), draw.Src, nil)
	}
	return out
}

// jpegQuality keeps photographs without visible loss.
const jpegQuality = 88

// encode writes a photograph as JPEG and what has transparent parts as PNG.
func encode(in *image.NRGBA) (*Picture, error) {
	p := &Picture{Width: in.Rect.Dx(), Height: in.Rect.Dy()}
	var b bytes.Buffer
	var err error
	if in.Opaque() {
		p.ContentType, p.Extension = "image/jpeg", "jpg"
		err = jpeg.Encode(&b, in, &jpeg.Options{Quality: jpegQuality})
	} else {
		p.ContentType, p.Extension = "image/png", "png"
		err = png.Encode(&b, in)
	}
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	p.Content = b.Bytes()
	return p, nil
}

// turned returns the picture as it is meant to be seen.
func turned(in *image.NRGBA, t turn) *image.NRGBA {
	if t == upright {
		return in
	}
	w, h := in.Rect.Dx(), in.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if t.swaps() {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			c := in.NRGBAAt(x, y)
			to := t.place(x, y, w, h)
			out.SetNRGBA(to.X, to.Y, color.NRGBA{R: c.R, G: c.G, B: c.B, A: c.A})
		}
	}
	return out
}
