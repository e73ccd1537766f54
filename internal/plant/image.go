package plant

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant/picture"
	"foresight/internal/tenancy"
)

// How long a link to a picture is good, at least, and how long it stays the same, so
// that browsers find the picture in their cache.
const (
	linkLife = time.Hour
	linkStep = time.Hour
)

// SetImage makes the picture of a machine from a JPEG or PNG file; a nil version is
// any. The former picture is gone then.
func (s *Service) SetImage(ctx context.Context, which id.UUID, expected *int, file []byte) (*ent.Asset, error) {
	// Before the work of decoding: is it there, and may it be changed?
	if err := s.begin(ctx, func(ctx context.Context, w work) error {
		_, err := assetKind.at(ctx, w, which, expected)
		return err
	}); err != nil {
		return nil, err
	}
	p, err := s.decoded(ctx, file)
	if err != nil {
		return nil, err
	}
	var suffix [12]byte
	rand.Read(suffix[:]) // never fails
	name := fmt.Sprintf("%s%x.%s", imagesOf(which), suffix, p.Extension)
	if err := s.opt.Files.Put(ctx, name, p.ContentType, bytes.NewReader(p.Content), int64(len(p.Content))); err != nil {
		return nil, err
	}
	e, err := s.image(ctx, which, expected, &name)
	// After any other error the row may name the file all the same.
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		s.drop(ctx, &name)
	}
	return e, err
}

// DeleteImage takes the picture from a machine; a nil version is any.
func (s *Service) DeleteImage(ctx context.Context, which id.UUID, expected *int) (*ent.Asset, error) {
	return s.image(ctx, which, expected, nil)
}

// decoded makes the picture when there is a place to work in: a picture takes much
// memory for a short time.
func (s *Service) decoded(ctx context.Context, file []byte) (*picture.Picture, error) {
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
		p, err := picture.Make(file)
		if f := (*fault.Error)(nil); errors.As(err, &f) {
			return nil, f.At("input.content")
		}
		return p, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// image writes the name of a picture, nil for none, and drops the former one.
func (s *Service) image(ctx context.Context, which id.UUID, expected *int, name *string) (*ent.Asset, error) {
	var old, e *ent.Asset
	err := s.begin(ctx, func(ctx context.Context, w work) (err error) {
		if old, err = assetKind.held(ctx, w, which, expected); err != nil {
			return err
		}
		q := w.client.Asset.UpdateOneID(which).Where(asset.Version(old.Version))
		m := q.Mutation()
		setOrClear(name, m.SetImagePath, m.ClearImagePath)
		e, err = q.Save(ctx)
		return assetKind.fault(err)
	})
	if err != nil {
		return nil, err
	}
	s.drop(ctx, old.ImagePath)
	return e, nil
}

// drop removes a file that nothing refers to. One that stays takes space, and no more.
func (s *Service) drop(ctx context.Context, name *string) {
	if name == nil {
		return
	}
	if err := s.opt.Files.Delete(context.WithoutCancel(ctx), *name); err != nil {
		s.opt.Log.WarnContext(ctx, "a picture that is not needed any more stays", "name", *name, "error", err)
	}
}

// Image opens the picture of a machine.
func (s *Service) Image(ctx context.Context, which id.UUID) (*blob.File, error) {
	e, err := s.Asset(ctx, &which, nil)
	if err != nil {
		return nil, err
	}
	if e.ImagePath == nil {
		return nil, fault.Missing("File")
	}
	return s.opt.Files.Get(ctx, *e.ImagePath)
}

// ImageLink returns the token of a link to a machine's picture, "" when it has none.
func (s *Service) ImageLink(ctx context.Context, e *ent.Asset) (string, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil || e.ImagePath == nil {
		return "", err
	}
	return s.opt.Links.Make(ctx, *e.ImagePath, e.AssetCode, time.Now().Truncate(linkStep).Add(linkStep+linkLife))
}

// ImageByLink opens the picture of a machine by the token of a link, without an actor.
func (s *Service) ImageByLink(ctx context.Context, which id.UUID, token string) (*blob.File, error) {
	f, _, err := s.opt.Links.Open(ctx, token)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(f.Name, imagesOf(which)) {
		_ = f.Close() // nothing of it was read
		return nil, fault.Missing("File")
	}
	return f, nil
}

// imagesOf begins the names of a machine's pictures.
func imagesOf(machine id.UUID) string { return "images/" + hex.EncodeToString(machine[:]) + "/" }
