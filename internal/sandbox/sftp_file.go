package sandbox

import (
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"
)

// fileShare serves the files below a root to one connection. os.Root keeps every
// path inside, whatever links there are.
type fileShare struct {
	root   *os.Root
	faults *sftpFaultSource
	hangUp func()
}

// handlers are those of pkg/sftp's request server.
func (s *fileShare) handlers() sftp.Handlers {
	return sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s}
}

// inside turns the absolute path that a client sees into one below the root.
func inside(name string) string {
	if rel := strings.TrimPrefix(path.Clean("/"+name), "/"); rel != "" {
		return rel
	}
	return "."
}

// Fileread opens a file for reading.
func (s *fileShare) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	return s.open(r, os.O_RDONLY)
}

// Filewrite opens a file for writing.
func (s *fileShare) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	return s.open(r, os.O_WRONLY)
}

// OpenFile opens a file for both.
func (s *fileShare) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	return s.open(r, os.O_RDWR)
}

func (s *fileShare) open(r *sftp.Request, flags int) (*transfer, error) {
	if flags != os.O_RDONLY {
		flags |= creation(r.Pflags())
	}
	f, err := s.root.OpenFile(inside(r.Filepath), flags, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		_ = f.Close()
		return nil, sftp.ErrSSHFxFailure
	}
	return &transfer{file: f, faults: s.faults, hangUp: s.hangUp}, nil
}

// creation translates what a client asks for beyond reading and writing. Append
// is left out: a client of version 3 sends offsets with it, which the operating
// system would ignore.
func creation(want sftp.FileOpenFlags) int {
	flags := 0
	if want.Creat {
		flags |= os.O_CREATE
	}
	if want.Trunc {
		flags |= os.O_TRUNC
	}
	if want.Excl {
		flags |= os.O_EXCL
	}
	return flags
}

// Filecmd changes names and attributes.
func (s *fileShare) Filecmd(r *sftp.Request) error {
	name := inside(r.Filepath)
	switch r.Method {
	case "Setstat":
		return s.setAttributes(name, r)
	case "Rename":
		// Version 3 of the protocol refuses an existing target; a link fails on one,
		// in one step. Directories cannot be linked and are looked for first.
		return s.renameNew(name, inside(r.Target))
	case "Rmdir", "Remove":
		return s.remove(name, r.Method == "Rmdir")
	case "Mkdir":
		return s.root.Mkdir(name, 0o700)
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename replaces the target, as posix-rename@openssh.com does.
func (s *fileShare) PosixRename(r *sftp.Request) error {
	return s.root.Rename(inside(r.Filepath), inside(r.Target))
}

func (s *fileShare) renameNew(from, to string) error {
	info, err := s.root.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		if err := s.root.Link(from, to); err != nil {
			return sftp.ErrSSHFxFailure
		}
		return s.root.Remove(from)
	}
	if _, err := s.root.Lstat(to); err == nil {
		return sftp.ErrSSHFxFailure
	}
	return s.root.Rename(from, to)
}

func (s *fileShare) remove(name string, wantDir bool) error {
	info, err := s.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() != wantDir || name == "." {
		return sftp.ErrSSHFxFailure
	}
	return s.root.Remove(name)
}

func (s *fileShare) setAttributes(name string, r *sftp.Request) error {
	set, to := r.AttrFlags(), r.Attributes()
	if set.Permissions {
		if err := s.root.Chmod(name, to.FileMode().Perm()); err != nil {
			return err
		}
	}
	if set.Size {
		f, err := s.root.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = f.Truncate(int64(to.Size))
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	if set.Acmodtime {
		return s.root.Chtimes(name, time.Unix(int64(to.Atime), 0), time.Unix(int64(to.Mtime), 0))
	}
	return nil
}

// Filelist lists a directory or describes one file.
func (s *fileShare) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	name := inside(r.Filepath)
	switch r.Method {
	case "List":
		return s.list(name)
	case "Stat":
		info, err := s.root.Stat(name)
		return infos{info}, err
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat describes a file, a link as itself.
func (s *fileShare) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := s.root.Lstat(inside(r.Filepath))
	return infos{info}, err
}

func (s *fileShare) list(name string) (sftp.ListerAt, error) {
	dir, err := s.root.Open(name)
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if closeErr := dir.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	var out infos
	for _, entry := range names {
		// A file that has gone in between is not listed.
		if info, err := s.root.Lstat(path.Join(name, entry)); err == nil {
			out = append(out, info)
		}
	}
	return out, nil
}

// infos is a listing.
type infos []os.FileInfo

// ListAt fills in the entries from offset on.
func (l infos) ListAt(to []os.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

var (
	_ sftp.FileReader           = (*fileShare)(nil)
	_ sftp.OpenFileWriter       = (*fileShare)(nil)
	_ sftp.PosixRenameFileCmder = (*fileShare)(nil)
	_ sftp.LstatFileLister      = (*fileShare)(nil)
	_ sftp.ListerAt             = infos(nil)
)
