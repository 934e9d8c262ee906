package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tallyman/formats"
)

// Options say what may be unpacked, and how much.
type Options struct {
	// Keys decrypt and verify; nil refuses encrypted files.
	Keys *Keys
	// MaxSize is how many bytes a plain file may have; 0 is DefaultMaxSize.
	MaxSize int64
	// MaxRatio is how many times larger than what it was made of a plain file may be; 0 is DefaultMaxRatio. It holds beyond
	// the first 16 MiB.
	MaxRatio int64
}

// The limits that hold unless others are asked for. A customer file shrinks by a factor of 5 to 20; a bomb of zeros by 1000.
const (
	DefaultMaxSize  = 64 << 30
	DefaultMaxRatio = 200
)

// ratioFrom is the size from which MaxRatio holds: a small file may repeat itself as it likes.
const ratioFrom = 16 << 20

// Plain is a file as it can be parsed.
type Plain struct {
	// Path is where it stands; that of the file as it came if nothing had to be done.
	Path string
	// Packed are the ways it was packed, the outermost first: "pgp", "gzip", "zip", "zstd". Empty: not at all.
	Packed []string
	// SignedBy is the fingerprint of the key whose signature was verified; empty if there was none to verify.
	SignedBy string
}

// layer is a way to pack a file, known by the ending of its name.
type layer struct {
	name   string
	pgp    bool
	unpack func(u *unpacker, from *os.File, to io.Writer) error
}

// layerOf returns the layer that an ending of a name stands for.
func layerOf(ending string) (layer, bool) {
	switch strings.ToLower(ending) {
	case ".gz":
		return layer{name: "gzip", unpack: (*unpacker).gunzip}, true
	case ".zst":
		return layer{name: "zstd", unpack: (*unpacker).unzstd}, true
	case ".zip":
		return layer{name: "zip", unpack: (*unpacker).unzip}, true
	case ".pgp", ".gpg", ".asc":
		return layer{name: "pgp", pgp: true, unpack: (*unpacker).decrypt}, true
	}
	return layer{}, false
}

// PlainName returns the name of the file within: the name without the endings that say how it is packed.
func PlainName(name string) string {
	for {
		ending := filepath.Ext(name)
		if _, ok := layerOf(ending); !ok || len(ending) == len(name) {
			return name
		}
		name = name[:len(name)-len(ending)]
	}
}

// plan returns how a file of that name is packed, the outermost first. There is at most one compression and one
// encryption: more is a mistake or an attack.
func plan(name string) ([]layer, error) {
	var list []layer
	compressed, encrypted := 0, 0
	for rest := name; rest != PlainName(name); {
		ending := filepath.Ext(rest)
		l, _ := layerOf(ending)
		if l.pgp {
			encrypted++
		} else {
			compressed++
		}
		list, rest = append(list, l), strings.TrimSuffix(rest, ending)
	}
	if compressed > 1 || encrypted > 1 {
		return nil, fault("nested_packing", "the file is packed more than once by its name; send it compressed once and encrypted once at most")
	}
	return list, nil
}

// File unpacks the file at path, which came under that name, into a directory. A file that is not packed is left alone.
func File(ctx context.Context, path, name, dir string, o Options) (plain Plain, err error) {
	list, err := plan(name)
	if err != nil {
		return Plain{}, err
	}
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.MaxRatio == 0 {
		o.MaxRatio = DefaultMaxRatio
	}
	plain.Path = path
	for i, l := range list {
		u := &unpacker{options: o, stopped: func() error { return context.Cause(ctx) }}
		next, err := u.run(l, plain.Path, filepath.Join(dir, fmt.Sprintf("%s.plain%d", filepath.Base(path), i)))
		if i > 0 {
			// Not needed any more, and as large as the file.
			_ = os.Remove(plain.Path)
		}
		if err != nil {
			return Plain{}, err
		}
		plain.Path, plain.Packed = next, append(plain.Packed, l.name)
		if u.signedBy != "" {
			plain.SignedBy = u.signedBy
		}
	}
	return plain, nil
}

// unpacker takes off one layer.
type unpacker struct {
	options  Options
	stopped  func() error // why to stop, if so
	read     int64        // bytes of the packed file
	signedBy string
}

// run writes what is within one file to another, which stands there in full or not at all.
func (u *unpacker) run(l layer, from, to string) (path string, err error) {
	src, err := os.Open(from)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	err = l.unpack(u, src, dst)
	if closed := dst.Close(); err == nil && closed != nil {
		err = fmt.Errorf("unpack: %w", closed)
	}
	if err != nil {
		_ = os.Remove(to)
		return "", err
	}
	return to, nil
}

// counted counts what is read from the packed file, and ends with the context.
func (u *unpacker) counted(src io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := u.stopped(); err != nil {
			return 0, err
		}
		n, err := src.Read(p)
		u.read += int64(n)
		return n, err
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// copy copies what is within, up to the limits. what names the packing in a fault.
func (u *unpacker) copy(dst io.Writer, src io.Reader, what string) error {
	buffer := make([]byte, 64<<10)
	var written int64
	for {
		n, err := src.Read(buffer)
		written += int64(n)
		switch {
		case u.stopped() != nil:
			return u.stopped()
		case written > u.options.MaxSize:
			return fault("too_large", fmt.Sprintf("the file holds more than %d bytes: it is not a customer file, or must be sent in parts", u.options.MaxSize))
		case written > ratioFrom && written/u.options.MaxRatio > u.read:
			return fault("decompression_bomb", fmt.Sprintf("what is within is more than %d times larger than the file: that is no customer file", u.options.MaxRatio))
		}
		if _, err := dst.Write(buffer[:n]); err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return u.broken(what, err)
		}
	}
}

// broken says that a packed file is damaged, unless we were told to stop.
func (u *unpacker) broken(what string, err error) error {
	if stop := u.stopped(); stop != nil {
		return stop
	}
	return fault("bad_"+what, fmt.Sprintf("the file is no whole %s file (%v); have it sent again", what, err))
}

func fault(rule, remedy string) error { return &formats.FileError{Rule: rule, Remedy: remedy} }
