package syscalltest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kind says where a call names its file.
type kind int

const (
	byDescriptor kind = iota // first argument
	byPath                   // directory first, path second
	byOldPath                // two pairs of them: a rename
	byBarePath               // path first
	byBarePaths              // two of them: a rename
)

var watched = []struct {
	number uintptr
	name   string
	kind   kind
}{
	{unix.SYS_FSYNC, "fsync", byDescriptor},
	{unix.SYS_FDATASYNC, "fdatasync", byDescriptor},
	{unix.SYS_READ, "read", byDescriptor},
	{unix.SYS_PREAD64, "pread64", byDescriptor},
	{unix.SYS_WRITE, "write", byDescriptor},
	{unix.SYS_PWRITE64, "pwrite64", byDescriptor},
	{unix.SYS_FTRUNCATE, "ftruncate", byDescriptor},
	{unix.SYS_CONNECT, "connect", byDescriptor},
	{unix.SYS_OPENAT, "openat", byPath},
	{unix.SYS_MKDIRAT, "mkdirat", byPath},
	{unix.SYS_UNLINKAT, "unlinkat", byPath},
	{unix.SYS_RENAMEAT, "renameat", byOldPath},
	{unix.SYS_RENAMEAT2, "renameat2", byOldPath},
	{unix.SYS_OPEN, "open", byBarePath},
	{unix.SYS_UNLINK, "unlink", byBarePath},
	{unix.SYS_RENAME, "rename", byBarePaths},
}

// notification is struct seccomp_notif of linux/seccomp.h.
type notification struct {
	id     uint64
	pid    uint32
	flags  uint32
	number int32
	arch   uint32
	ip     uint64
	args   [6]uint64
}

// response is struct seccomp_notif_resp of linux/seccomp.h.
type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

type watcher struct {
	listener int
	process  int
	decide   func(Call) Verdict
}

// run answers until no process has the filter any more.
func (w *watcher) run() error {
	defer unix.Close(w.listener)
	for {
		poll := []unix.PollFd{{Fd: int32(w.listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return err
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			return nil
		}
		var n notification
		switch err := w.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINTR):
			continue // the caller was interrupted or killed before it was asked about
		case err != nil:
			return err
		}
		r := w.answer(&n)
		if err := w.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
}

func (w *watcher) ioctl(request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(w.listener), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

func (w *watcher) answer(n *notification) response {
	r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	call, of := describe(n)
	if !of {
		return r
	}
	v := w.decide(call)
	switch {
	case v.Kill:
		_ = unix.Kill(w.process, unix.SIGKILL)
	case v.Errno != 0:
		if v.HangUp {
			w.hangUp(n)
		}
		r.flags, r.errno = 0, -int32(v.Errno)
	case v.Half:
		if written, err := w.half(n); err == nil && written > 0 {
			r.flags, r.value = 0, int64(written)
		}
	}
	return r
}

// describe tells what a call is about. Pipes, terminals and the like are nobody's concern.
func describe(n *notification) (Call, bool) {
	for i := range watched {
		if watched[i].number != uintptr(n.number) {
			continue
		}
		c := Call{Name: watched[i].name}
		switch watched[i].kind {
		case byDescriptor:
			link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, int32(n.args[0])))
			if err == nil && strings.HasPrefix(link, "socket:") {
				return c, true
			}
			c.Path = link
		case byPath:
			c.Path = n.path(n.args[0], n.args[1])
			c.Make = n.args[2]&unix.O_CREAT != 0 && c.Name == "openat"
		case byOldPath:
			c.From, c.Path = n.path(n.args[0], n.args[1]), n.path(n.args[2], n.args[3])
		case byBarePath:
			c.Path = n.path(atWorkingDirectory, n.args[0])
			c.Make = n.args[1]&unix.O_CREAT != 0 && c.Name == "open"
		case byBarePaths:
			c.From, c.Path = n.path(atWorkingDirectory, n.args[0]), n.path(atWorkingDirectory, n.args[1])
		}
		return c, filepath.IsAbs(c.Path)
	}
	return Call{}, false
}

// atWorkingDirectory is AT_FDCWD as an argument.
const atWorkingDirectory = 1<<64 - 100

// path reads a path of the caller and makes it absolute.
func (n *notification) path(directory, address uint64) string {
	text, err := n.memory(address, unix.PathMax)
	end := bytes.IndexByte(text, 0)
	if err != nil || end < 0 {
		return ""
	}
	name := string(text[:end])
	if filepath.IsAbs(name) {
		return name
	}
	link := fmt.Sprintf("/proc/%d/cwd", n.pid)
	if int32(directory) != unix.AT_FDCWD {
		link = fmt.Sprintf("/proc/%d/fd/%d", n.pid, int32(directory))
	}
	base, err := os.Readlink(link)
	if err != nil {
		return ""
	}
	return filepath.Join(base, name)
}

// memory reads at most size bytes of the caller's memory.
func (n *notification) memory(address uint64, size int) ([]byte, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buffer := make([]byte, size)
	got, err := f.ReadAt(buffer, int64(address))
	if got > 0 {
		err = nil // what follows may not be mapped
	}
	return buffer[:got], err
}

// half carries out the first half of a write in the caller's place.
func (w *watcher) half(n *notification) (int, error) {
	if n.number != unix.SYS_WRITE && n.number != unix.SYS_PWRITE64 {
		return 0, unix.EINVAL
	}
	data, err := n.memory(n.args[1], int(n.args[2]/2))
	if err != nil {
		return 0, err
	}
	fd, err := w.borrow(n)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if n.number == unix.SYS_PWRITE64 {
		return unix.Pwrite(fd, data, int64(n.args[3]))
	}
	return unix.Write(fd, data)
}

// hangUp ends the caller's connection. One that is gone already needs no end.
func (w *watcher) hangUp(n *notification) {
	if fd, err := w.borrow(n); err == nil {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		_ = unix.Close(fd)
	}
}

// borrow opens the descriptor in the caller's first argument a second time.
func (w *watcher) borrow(n *notification) (int, error) {
	process, err := unix.PidfdOpen(w.process, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(process)
	return unix.PidfdGetfd(process, int(int32(n.args[0])), 0)
}
