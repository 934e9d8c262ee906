package syscalltest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// marker tells the test binary that it is to be the launcher.
const marker = "SYSCALLTEST_LAUNCH"

// listenerSocket is the descriptor on which the launcher hands over the
// notifications, the first of exec.Cmd.ExtraFiles.
const listenerSocket = 3

// Main must be called first in TestMain: started by Start, the test binary
// watches itself and becomes the program under test; otherwise Main returns.
func Main() {
	if os.Getenv(marker) == "" {
		return
	}
	if err := launch(); err != nil {
		fmt.Fprintln(os.Stderr, "syscalltest:", err)
		os.Exit(125)
	}
}

func launch() error {
	// The filter belongs to this thread, and execve ends all others.
	runtime.LockOSThread()
	listener, err := watchThisThread()
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(listenerSocket, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("hand over the notifications: %w", err)
	}
	_ = unix.Close(listener)
	_ = unix.Close(listenerSocket)
	if err := os.Unsetenv(marker); err != nil {
		return err
	}
	return syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
}

func watchThisThread() (int, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("set no_new_privs: %w", err)
	}
	filter := program()
	list := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uintptr(unsafe.Pointer(&list)))
	if errno != 0 {
		return 0, fmt.Errorf("install the filter: %w", errno)
	}
	return int(fd), nil
}

// program asks about watched calls and lets all others pass.
func program() []unix.SockFilter {
	const load, jumpEqual, answer = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{{Code: load, K: 0}} // the number stands first in struct seccomp_data
	for i := range watched {
		filter = append(filter, unix.SockFilter{Code: jumpEqual, K: uint32(watched[i].number), Jt: uint8(len(watched) - i)})
	}
	return append(filter,
		unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_USER_NOTIF})
}

// Start starts a command, which must not have been started, and asks decide
// about its calls, one at a time, until it has ended. Its children are watched
// too. The caller waits for the command, and calls ended then if it looks at what
// decide has noted. A test on a system that cannot do this is skipped.
func Start(t testing.TB, cmd *exec.Cmd, decide func(Call) Verdict) (ended func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	if len(cmd.ExtraFiles) > 0 {
		t.Fatal("the first extra file is taken")
	}
	cmd.ExtraFiles = []*os.File{theirs}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, marker+"=1")
	cmd.Args = append([]string{self, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = self
	err = cmd.Start()
	_ = theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := receive(ours)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Skipf("SKIPPED: system calls cannot be watched here: %v", err)
	}
	w := &watcher{listener: listener, process: cmd.Process.Pid, decide: decide}
	done := make(chan struct{})
	var failure error
	go func() {
		defer close(done)
		failure = w.run()
	}()
	t.Cleanup(func() {
		if <-done; failure != nil {
			t.Errorf("watch system calls: %v", failure)
		}
	})
	return func() { <-done }
}

// receive takes the notifications' descriptor from the launcher.
func receive(from *os.File) (int, error) {
	conn, err := net.FileConn(from)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	rights := make([]byte, unix.CmsgSpace(4))
	n, rightsLen, _, _, err := conn.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), rights)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("the launcher ended: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:rightsLen])
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("no descriptor came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, fmt.Errorf("no descriptor came: %w", err)
	}
	unix.CloseOnExec(fds[0])
	return fds[0], nil
}
