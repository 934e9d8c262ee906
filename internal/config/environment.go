package config

import (
	"io"
	"io/fs"
	"os"
)

// Environment is what a configuration is read from besides its own text. The
// zero value is this process's own.
type Environment struct {
	// LookupEnv is as os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// ReadFile is as os.ReadFile; it need not return more than MaxFileSize+1
	// bytes.
	ReadFile func(name string) ([]byte, error)
	// Stat is as os.Stat.
	Stat func(name string) (fs.FileInfo, error)
}

// MaxFileSize is the most that a configuration or a secret file may hold, in
// bytes.
const MaxFileSize = 1 << 20

func (e Environment) orOwn() Environment {
	if e.LookupEnv == nil {
		e.LookupEnv = os.LookupEnv
	}
	if e.ReadFile == nil {
		e.ReadFile = readCapped
	}
	if e.Stat == nil {
		e.Stat = os.Stat
	}
	return e
}

// readCapped reads no more than is needed to see that a file is too large: a
// path in a configuration may name a device by mistake.
func readCapped(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, MaxFileSize+1))
}
