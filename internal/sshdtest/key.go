package sshdtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// KeyType names a kind of key pair that GenerateKey can make.
type KeyType string

// The kinds of keys, by their usual short names.
const (
	Ed25519 KeyType = "ed25519"
	ECDSA   KeyType = "ecdsa"
	RSA     KeyType = "rsa"
)

// GenerateKey makes a fresh key pair, and ends the test where it cannot. RSA
// keys have 2048 bits: enough for a test, and quick.
func GenerateKey(t testing.TB, kind KeyType) (crypto.Signer, ssh.PublicKey) {
	t.Helper()
	var private crypto.Signer
	var err error
	switch kind {
	case Ed25519:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case ECDSA:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("no such kind of key")
	}
	if err != nil {
		t.Fatalf("generate a %s key: %v", kind, err)
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatalf("public half of a %s key: %v", kind, err)
	}
	return private, public
}

// WriteKey writes a private key in OpenSSH's format, mode 0600, encrypted if
// passphrase is not empty.
func WriteKey(t testing.TB, path string, key crypto.Signer, passphrase string) {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatalf("encode key: %v", err)
	}
	writeFile(t, path, pem.EncodeToMemory(block))
}

// SignCertificate makes an OpenSSH certificate of kind (ssh.HostCert or
// ssh.UserCert) for key, valid for an hour to either side of now.
func SignCertificate(t testing.TB, authority crypto.Signer, key ssh.PublicKey, kind uint32, principals ...string) *ssh.Certificate {
	t.Helper()
	signer, err := ssh.NewSignerFromSigner(authority)
	if err != nil {
		t.Fatalf("certificate authority: %v", err)
	}
	now := time.Now()
	certificate := &ssh.Certificate{
		Key:             key,
		CertType:        kind,
		KeyId:           "sshdtest",
		ValidPrincipals: principals,
		ValidAfter:      uint64(now.Add(-time.Hour).Unix()),
		ValidBefore:     uint64(now.Add(time.Hour).Unix()),
	}
	if err := certificate.SignCert(rand.Reader, signer); err != nil {
		t.Fatalf("sign certificate: %v", err)
	}
	return certificate
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
