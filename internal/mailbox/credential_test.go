package mailbox

import (
	"crypto"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"tallyman/internal/sshdtest"
)

func TestLoginWithKeys(t *testing.T) {
	encrypted, encryptedPublic := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	rsa, rsaPublic := sshdtest.GenerateKey(t, sshdtest.RSA)
	inAgent, inAgentPublic := sshdtest.GenerateKey(t, sshdtest.ECDSA)
	certified, certifiedPublic := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	stranger, _ := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	authority, authorityPublic := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	server, o := sshd(t, sshdtest.Options{
		AuthorizedKeys: []ssh.PublicKey{encryptedPublic, rsaPublic, inAgentPublic},
		UserAuthority:  authorityPublic,
	})
	keyFile := func(t *testing.T, key crypto.Signer, passphrase string) string {
		path := filepath.Join(t.TempDir(), "id")
		sshdtest.WriteKey(t, path, key, passphrase)
		return path
	}
	tests := map[string]func(*testing.T, *Options){
		"key": func(*testing.T, *Options) {},
		"encrypted key": func(t *testing.T, o *Options) {
			o.KeyFile, o.KeyPassphrase = keyFile(t, encrypted, "hush"), "hush"
		},
		"RSA key": func(t *testing.T, o *Options) { o.KeyFile = keyFile(t, rsa, "") },
		"agent":   func(t *testing.T, o *Options) { o.KeyFile, o.Agent, o.AgentSocket = "", true, runAgent(t, inAgent) },
		"agent beside a key that is not known there": func(t *testing.T, o *Options) {
			o.KeyFile, o.Agent, o.AgentSocket = keyFile(t, stranger, ""), true, runAgent(t, inAgent)
		},
		"key beside an agent that is gone": func(t *testing.T, o *Options) {
			o.Agent, o.AgentSocket = true, filepath.Join(t.TempDir(), "none")
		},
		"certificate": func(t *testing.T, o *Options) {
			o.KeyFile = keyFile(t, certified, "")
			certificate := sshdtest.SignCertificate(t, authority, certifiedPublic, ssh.UserCert, server.User)
			if err := os.WriteFile(o.KeyFile+"-cert.pub", ssh.MarshalAuthorizedKey(certificate), 0o644); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Log = testLog(t)
			change(t, &o)
			m := open(t, o)
			if _, _, err := m.List(testContext(t)); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(m.Server(), "SSH-2.0-OpenSSH") || !strings.Contains(m.Algorithms(), "ssh-ed25519") {
				t.Errorf("server %q, algorithms %q", m.Server(), m.Algorithms())
			}
		})
	}
}

// A refused key is told with its fingerprint, and tried once.
func TestRefusedKey(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	stranger, public := sshdtest.GenerateKey(t, sshdtest.Ed25519)
	o.KeyFile = filepath.Join(t.TempDir(), "id")
	sshdtest.WriteKey(t, o.KeyFile, stranger, "")
	_, err := Dial(testContext(t), o)
	var auth *AuthError
	if !errors.As(err, &auth) {
		t.Fatalf("error %v, want *AuthError", err)
	}
	for _, part := range []string{o.User, o.Address, "publickey", ssh.FingerprintSHA256(public)} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("text lacks %q: %v", part, err)
		}
	}
}

func TestLoginWithPassword(t *testing.T) {
	t.Run("right", func(t *testing.T) {
		f := startFaulty(t, nil)
		open(t, f.options())
	})
	t.Run("wrong", func(t *testing.T) {
		f := startFaulty(t, nil)
		o := f.options()
		o.Password = "open barley"
		_, err := Dial(testContext(t), o)
		var auth *AuthError
		if !errors.As(err, &auth) {
			t.Fatalf("error %v, want *AuthError", err)
		}
		if strings.Contains(err.Error(), o.Password) {
			t.Errorf("text shows the password: %v", err)
		}
		if n, c := f.refusals.Load(), f.connections.Load(); n != 1 || c != 1 {
			t.Errorf("%d passwords were tried on %d connections, want one: more lock accounts", n, c)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		var asked atomic.Int32
		f := startFaulty(t, func(f *faulty) {
			f.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
				asked.Add(1)
				f.cutAll()
				return nil, errors.New("no")
			}
		})
		_, err := Dial(testContext(t), f.options())
		if err == nil || strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "broke during the login") {
			t.Errorf("nobody refused: %v", err)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d passwords were tried, want one", n)
		}
	})
	t.Run("asked for interactively", func(t *testing.T) {
		var questions atomic.Int32
		f := startFaulty(t, func(f *faulty) {
			f.config.PasswordCallback = nil
			f.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				questions.Add(1)
				answers, err := ask("", "", []string{"Password: "}, []bool{false})
				if err != nil || len(answers) != 1 || answers[0] != "open sesame" {
					return nil, errors.New("no")
				}
				return nil, nil
			}
		})
		open(t, f.options())
		if questions.Load() != 1 {
			t.Errorf("%d questions", questions.Load())
		}
	})
	t.Run("not given to a question that is echoed", func(t *testing.T) {
		var got atomic.Bool
		f := startFaulty(t, func(f *faulty) {
			f.config.PasswordCallback = nil
			f.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				answers, err := ask("", "", []string{"Favourite colour: "}, []bool{true})
				got.Store(err == nil && len(answers) > 0)
				return nil, errors.New("no")
			}
		})
		if _, err := Dial(testContext(t), f.options()); err == nil {
			t.Fatal("logged in")
		}
		if got.Load() {
			t.Error("the question was answered")
		}
	})
	t.Run("after a key, where the server wants both", func(t *testing.T) {
		key, public := sshdtest.GenerateKey(t, sshdtest.Ed25519)
		f := startFaulty(t, func(f *faulty) {
			password := f.config.PasswordCallback
			f.config.PasswordCallback = nil
			f.config.PublicKeyCallback = func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
				if string(offered.Marshal()) != string(public.Marshal()) {
					return nil, errors.New("no")
				}
				return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{PasswordCallback: password}}
			}
		})
		o := f.options()
		o.KeyFile = filepath.Join(t.TempDir(), "id")
		sshdtest.WriteKey(t, o.KeyFile, key, "")
		open(t, o)
	})
}

// runAgent serves a key as an ssh-agent does, and returns the socket.
func runAgent(t *testing.T, key crypto.Signer) string {
	t.Helper()
	// Socket paths are short: not every temporary directory will do.
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(keys, conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

// A server that does not say what it can verify must not get SHA-1 for it.
func TestRSAWithoutSHA1(t *testing.T) {
	key, _ := sshdtest.GenerateKey(t, sshdtest.RSA)
	path := filepath.Join(t.TempDir(), "id")
	sshdtest.WriteKey(t, path, key, "")
	signers, err := readSigners(path, "")
	if err != nil {
		t.Fatal(err)
	}
	algorithms, ok := signers[0].(ssh.MultiAlgorithmSigner)
	if !ok {
		t.Fatal("the signer does not say its algorithms")
	}
	if got, want := algorithms.Algorithms(), []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}; !slices.Equal(got, want) {
		t.Errorf("algorithms %q, want %q", got, want)
	}
}
