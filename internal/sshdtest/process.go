package sshdtest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startLimit is how long sshd may take to listen; it is generous because it
// only ends a test that has failed already.
const startLimit = 30 * time.Second

// launch writes the configuration and starts sshd, and returns once it
// listens.
func (s *Server) launch() {
	s.t.Helper()
	config := s.path("sshd_config")
	writeFile(s.t, config, []byte(s.config()))
	p, err := startProcess(s.binary, config)
	if err != nil {
		s.t.Fatalf("start sshd: %v", err)
	}
	s.process = p
	select {
	case <-p.listening:
	case <-p.ended:
		s.t.Fatalf("sshd ended at once:\n%s", p.output())
	case <-time.After(startLimit):
		s.t.Fatalf("sshd does not listen after %s:\n%s", startLimit, p.output())
	}
}

func (s *Server) config() string {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	command := "internal-sftp -d " + s.Dir
	if len(s.options.Deny) > 0 {
		command += " -P " + strings.Join(s.options.Deny, ",")
	}
	lines := []string{
		"ListenAddress " + host,
		"Port " + port,
		"PidFile none",
		"UsePAM no",
		"UseDNS no",
		"StrictModes no",
		"LogLevel VERBOSE",
		"PubkeyAuthentication yes",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"PermitRootLogin prohibit-password",
		"AllowTcpForwarding no",
		"X11Forwarding no",
		"AuthorizedKeysFile " + s.path("authorized_keys"),
		"Subsystem sftp " + command,
		"ForceCommand " + command,
	}
	for _, kind := range s.options.HostKeys {
		lines = append(lines, "HostKey "+s.hostKeyFile(kind))
		if s.options.HostCertificate {
			lines = append(lines, "HostCertificate "+s.hostKeyFile(kind)+"-cert.pub")
		}
	}
	if s.options.UserAuthority != nil {
		lines = append(lines, "TrustedUserCAKeys "+s.path("user_ca.pub"))
	}
	lines = append(lines, s.options.Config...)
	return strings.Join(lines, "\n") + "\n"
}

// process is one run of sshd. Its one goroutine reads what sshd says, and
// stop waits for it.
type process struct {
	command   *exec.Cmd
	listening chan struct{}
	ended     chan struct{}

	mu  sync.Mutex
	log strings.Builder
}

func startProcess(binary, config string) (*process, error) {
	p := &process{
		command:   exec.Command(binary, "-D", "-e", "-f", config),
		listening: make(chan struct{}),
		ended:     make(chan struct{}),
	}
	said, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go p.follow(said)
	return p, nil
}

// follow keeps what sshd says until the last process of it is gone.
func (p *process) follow(said io.Reader) {
	defer close(p.ended)
	up := false
	scanner := bufio.NewScanner(said)
	for scanner.Scan() {
		p.mu.Lock()
		p.log.WriteString(scanner.Text() + "\n")
		p.mu.Unlock()
		if !up && strings.Contains(scanner.Text(), "Server listening on") {
			up = true
			close(p.listening)
		}
	}
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// stop ends sshd with its sessions, waits for all, and returns what was said.
func (p *process) stop() string {
	for _, pid := range p.freeze() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.ended
	_ = p.command.Wait()
	return p.output()
}

// cut kills the processes that serve connections; the listener goes on.
func (p *process) cut() {
	family := p.freeze()
	for _, pid := range family[1:] {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = syscall.Kill(family[0], syscall.SIGCONT)
}

// freeze stops sshd and everything that came of it, and returns the process
// ids, sshd's own first. They are stopped before any is killed because the
// children of a process that is gone could not be found any more; a connection
// is served by two or three processes, one below the other.
func (p *process) freeze() []int {
	family := []int{p.command.Process.Pid}
	_ = syscall.Kill(family[0], syscall.SIGSTOP)
	for quiet := 0; quiet < 2; quiet++ {
		for pid, parent := range parents() {
			if slices.Contains(family, parent) && !slices.Contains(family, pid) {
				_ = syscall.Kill(pid, syscall.SIGSTOP)
				family = append(family, pid)
				quiet = -1
			}
		}
	}
	return family
}

// parents maps the ids of all processes to those of their parents.
func parents() map[int]int {
	found := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, file := range stats {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		if pid, parent, ok := parseStat(string(content)); ok {
			found[pid] = parent
		}
	}
	return found
}

// parseStat reads process and parent id from a line of /proc/<pid>/stat, in
// which the name, in parentheses, may hold anything (proc(5)).
func parseStat(line string) (pid, parent int, ok bool) {
	head, _, _ := strings.Cut(line, " ")
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, false
	}
	pid, err := strconv.Atoi(head)
	if err != nil {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return pid, parent, err == nil
}
