package mailbox

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"tallyman/internal/durable"
)

// credentials are the ways to log in, for one attempt to connect.
type credentials struct {
	methods []ssh.AuthMethod
	keys    []string // fingerprints of the public keys
	agent   net.Conn // nil without an agent
}

// close ends the connection with the agent, if there is one.
func (c *credentials) close() {
	if c.agent != nil {
		_ = c.agent.Close()
	}
}

// checkCredentials tells whether there is a way to log in, without asking an
// agent.
func (o Options) checkCredentials() error {
	if o.Password == "" && o.KeyFile == "" && !o.Agent {
		return errors.New("no way to log in: set inbox.key_file, inbox.password or inbox.agent")
	}
	if o.Agent && o.AgentSocket == "" {
		return errors.New("inbox.agent is set, and no ssh-agent is running: start one so that SSH_AUTH_SOCK is set, or use inbox.key_file")
	}
	if o.KeyFile == "" {
		return nil
	}
	_, err := readSigners(o.KeyFile, o.KeyPassphrase)
	return err
}

// credentials reads the key and asks the agent. All keys stand in one method,
// since the library uses only the first method of a kind; the certificate and
// the configured key come first, because servers count refused keys.
func (o Options) credentials(ctx context.Context) (*credentials, error) {
	c := &credentials{}
	var signers []ssh.Signer
	if o.KeyFile != "" {
		own, err := readSigners(o.KeyFile, o.KeyPassphrase)
		if err != nil {
			return nil, err
		}
		signers = own
	}
	if o.Agent {
		others, err := c.askAgent(ctx, o)
		switch {
		case err == nil:
			signers = append(signers, others...)
		case o.KeyFile == "" && o.Password == "":
			return nil, err
		default:
			o.Log.Warn("ssh-agent left out", "error", err)
		}
	}
	for _, signer := range signers {
		c.keys = append(c.keys, ssh.FingerprintSHA256(signer.PublicKey()))
	}
	if len(signers) > 0 {
		c.methods = append(c.methods, ssh.PublicKeys(signers...))
	}
	if o.Password != "" {
		c.methods = append(c.methods, ssh.Password(o.Password), ssh.KeyboardInteractive(answerWith(o.Password)))
	}
	return c, nil
}

// answerWith answers the one question that a server asks for a password by
// keyboard-interactive (RFC 4256), and no other: what is echoed is no password,
// and of several questions nobody knows which one is meant.
func answerWith(password string) ssh.KeyboardInteractiveChallenge {
	return func(_, _ string, questions []string, echos []bool) ([]string, error) {
		switch {
		case len(questions) == 0:
			return nil, nil
		case len(questions) == 1 && !echos[0]:
			return []string{password}, nil
		}
		return nil, errors.New("the server asks more than a password")
	}
}

func (c *credentials) askAgent(ctx context.Context, o Options) ([]ssh.Signer, error) {
	failure := func(err error) error {
		return &KeyError{Path: o.AgentSocket, Reason: "the ssh-agent does not answer", Err: err, Remedy: "start it again, or use inbox.key_file"}
	}
	dialer := net.Dialer{Timeout: o.Timeout}
	conn, err := dialer.DialContext(ctx, "unix", o.AgentSocket)
	if err != nil {
		return nil, failure(err)
	}
	c.agent = conn
	if err := conn.SetDeadline(time.Now().Add(o.Timeout)); err != nil {
		return nil, failure(err)
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, failure(err)
	}
	if len(signers) == 0 {
		return nil, &KeyError{Path: o.AgentSocket, Reason: "the ssh-agent holds no key", Remedy: "add one with ssh-add, or use inbox.key_file"}
	}
	for i := range signers {
		signers[i] = withoutSHA1(signers[i])
	}
	return signers, nil
}

// readSigners reads a private key and, if there is one, the certificate beside
// it, which then comes first.
func readSigners(path, passphrase string) ([]ssh.Signer, error) {
	content, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	key, err := parsePrivate(path, content, passphrase)
	if err != nil {
		return nil, err
	}
	key = withoutSHA1(key)
	certificate, err := readCertificate(path+"-cert.pub", key)
	switch {
	case err != nil:
		return nil, err
	case certificate != nil:
		return []ssh.Signer{certificate, key}, nil
	}
	return []ssh.Signer{key}, nil
}

// readPrivate reads a file that nobody but its owner may read.
func readPrivate(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &KeyError{Path: path, Reason: "the private key cannot be read", Err: bare(err), Remedy: "correct inbox.key_file"}
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, &KeyError{Path: path, Reason: "the private key cannot be read", Err: bare(err), Remedy: "correct inbox.key_file"}
	case !info.Mode().IsRegular():
		return nil, &KeyError{Path: path, Reason: "the private key is no regular file", Remedy: "correct inbox.key_file"}
	case durable.Shared(info) != 0:
		return nil, &KeyError{
			Path: path, Reason: fmt.Sprintf("others may read the private key (mode %04o)", info.Mode().Perm()),
			Remedy: "chmod 600 it, and if others could log in with it replace it",
		}
	}
	content, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil, &KeyError{Path: path, Reason: "the private key cannot be read", Err: bare(err), Remedy: "correct inbox.key_file"}
	}
	return content, nil
}

func parsePrivate(path string, content []byte, passphrase string) (ssh.Signer, error) {
	key, err := ssh.ParsePrivateKey(content)
	var encrypted *ssh.PassphraseMissingError
	if errors.As(err, &encrypted) {
		if passphrase == "" {
			return nil, &KeyError{Path: path, Reason: "the private key is encrypted", Remedy: "set inbox.key_passphrase or inbox.key_passphrase_file"}
		}
		key, err = ssh.ParsePrivateKeyWithPassphrase(content, []byte(passphrase))
	}
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, &KeyError{Path: path, Reason: "the passphrase does not open the private key", Remedy: "correct inbox.key_passphrase"}
	case err != nil:
		return nil, &KeyError{Path: path, Reason: "this is no private key that can be used", Err: err, Remedy: "make one with ssh-keygen -t ed25519, and send the biller its public half"}
	}
	return key, nil
}

// readCertificate returns nil without an error if there is no certificate.
func readCertificate(path string, key ssh.Signer) (ssh.Signer, error) {
	failure := func(err error) error {
		return &KeyError{Path: path, Reason: "the certificate of the private key cannot be used", Err: bare(err), Remedy: "replace or remove it"}
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(content)
	if err != nil {
		return nil, failure(err)
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, failure(errors.New("it is no certificate"))
	}
	signer, err := ssh.NewCertSigner(certificate, key)
	if err != nil {
		return nil, failure(err)
	}
	return signer, nil
}

// withoutSHA1 keeps an RSA key from signing with SHA-1 for a server that does
// not say what it can verify.
func withoutSHA1(signer ssh.Signer) ssh.Signer {
	if signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer
	}
	able, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return signer
	}
	limited, err := ssh.NewSignerWithAlgorithms(able, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
	if err != nil {
		return signer
	}
	return limited
}

// bare drops operation and path from an error of the os package, where the
// message names the path already.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
