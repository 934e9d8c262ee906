package unpack

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// person is somebody with a PGP key, made for the test.
type person struct {
	key *crypto.Key
}

func newPerson(t testing.TB, name string) person {
	t.Helper()
	key, err := crypto.PGP().KeyGeneration().AddUserId(name, name+"@example.com").New().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return person{key}
}

func (p person) private(t testing.TB, passphrase string) []byte {
	t.Helper()
	key := p.key
	if passphrase != "" {
		var err error
		if key, err = crypto.PGP().LockKey(p.key, []byte(passphrase)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := key.Armor()
	if err != nil {
		t.Fatal(err)
	}
	return []byte(text)
}

func (p person) public(t testing.TB) []byte {
	t.Helper()
	text, err := p.key.GetArmoredPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return []byte(text)
}

// encrypted is a message for somebody, signed by another if there is one.
func encrypted(t testing.TB, to person, by *person, text string) []byte {
	t.Helper()
	builder := crypto.PGP().Encryption().Recipient(to.key)
	if by != nil {
		builder = builder.SigningKey(by.key)
	}
	handle, err := builder.New()
	if err != nil {
		t.Fatal(err)
	}
	message, err := handle.Encrypt([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return message.Bytes()
}

func keysFor(t testing.TB, us person, required bool, signers ...person) *Keys {
	t.Helper()
	var public [][]byte
	for _, s := range signers {
		public = append(public, s.public(t))
	}
	k, err := NewKeys(us.private(t, "open sesame"), "open sesame", public, required)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPGP(t *testing.T) {
	us, biller, stranger := newPerson(t, "us"), newPerson(t, "biller"), newPerson(t, "stranger")
	signed, unsigned := encrypted(t, us, &biller, content), encrypted(t, us, nil, content)
	free, strict, blind := keysFor(t, us, false, biller), keysFor(t, us, true, biller), keysFor(t, us, false)
	fingerprint := biller.key.GetFingerprint()
	for _, c := range []struct {
		why, name string
		packed    []byte
		keys      *Keys
		rule      string
		signedBy  string
	}{
		{"signed", "a.csv.pgp", signed, strict, "", fingerprint},
		{"signed, not required", "a.csv.gpg", signed, free, "", fingerprint},
		{"armoured", "a.csv.asc", armored(t, signed), strict, "", fingerprint},
		{"compressed inside", "a.csv.gz.pgp", encrypted(t, us, &biller, string(gzipped(t, content))), strict, "", fingerprint},
		{"compressed outside", "a.csv.pgp.gz", gzipped(t, string(signed)), strict, "", fingerprint},
		{"unsigned", "a.csv.pgp", unsigned, free, "", ""},
		{"unsigned, required", "a.csv.pgp", unsigned, strict, "not_signed", ""},
		{"signed by a stranger", "a.csv.pgp", encrypted(t, us, &stranger, content), free, "unknown_signer", ""},
		{"nobody to verify by", "a.csv.pgp", signed, blind, "", ""},
		{"for somebody else", "a.csv.pgp", encrypted(t, stranger, &biller, content), free, "bad_pgp", ""},
		{"cut", "a.csv.pgp", signed[:len(signed)-20], free, "bad_pgp", ""},
		{"changed", "a.csv.pgp", flip(signed, len(signed)-40), free, "bad_pgp", ""},
		{"not PGP", "a.csv.pgp", []byte(content), free, "bad_pgp", ""},
		{"empty", "a.csv.pgp", nil, free, "bad_pgp", ""},
		{"encrypted twice", "a.csv.pgp.pgp", signed, free, "nested_packing", ""},
		{"bomb inside", "a.csv.gz.pgp", encrypted(t, us, nil, string(gzipped(t, strings.Repeat("\x00", 64<<20)))), free, "decompression_bomb", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			text, plain, err := unpackBytes(t, c.name, c.packed, Options{Keys: c.keys})
			if rule(err) != c.rule {
				t.Fatalf("%v, want %q", err, c.rule)
			}
			if err == nil && (text != content || plain.SignedBy != c.signedBy) {
				t.Errorf("%q, signed by %q", text, plain.SignedBy)
			}
		})
	}
}

// A signature that fits other content must be found, though all of the text has been handed out before it is read.
func TestForgedSignature(t *testing.T) {
	us, biller := newPerson(t, "us"), newPerson(t, "biller")
	keys := keysFor(t, us, true, biller)
	other := newPerson(t, "biller")
	if _, _, err := unpackBytes(t, "a.csv.pgp", encrypted(t, us, &other, content), Options{Keys: keys}); rule(err) != "unknown_signer" {
		t.Errorf("a key with the biller's name only: %v", err)
	}
}

func armored(t testing.TB, message []byte) []byte {
	t.Helper()
	text, err := crypto.NewPGPMessage(message).Armor()
	if err != nil {
		t.Fatal(err)
	}
	return []byte(text)
}

func TestNewKeys(t *testing.T) {
	us := newPerson(t, "us")
	for _, c := range []struct {
		why        string
		private    []byte
		passphrase string
		signers    [][]byte
		want       string
	}{
		{"locked", us.private(t, "open"), "open", nil, ""},
		{"not locked", us.private(t, ""), "", nil, ""},
		{"wrong passphrase", us.private(t, "open"), "close", nil, "files.pgp.passphrase: does not unlock"},
		{"no passphrase", us.private(t, "open"), "", nil, "files.pgp.passphrase"},
		{"public key", us.public(t), "", nil, "is a public key"},
		{"no key", []byte("sesame"), "", nil, "files.pgp.key_file: is no PGP key"},
		{"a signer that is no key", us.private(t, ""), "", [][]byte{[]byte("x")}, "files.pgp.signers[0]: is no PGP key"},
	} {
		_, err := NewKeys(c.private, c.passphrase, c.signers, false)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.why, err)
		}
		if err != nil && bytes.Contains([]byte(err.Error()), []byte("sesame")) {
			t.Errorf("%s: the error holds what the file says: %v", c.why, err)
		}
	}
}

// FuzzPGP hands damaged messages to somebody who has the keys: what was encrypted comes out whole, or nothing does.
func FuzzPGP(f *testing.F) {
	us, biller := newPerson(f, "us"), newPerson(f, "biller")
	keys := keysFor(f, us, false, biller)
	f.Add(encrypted(f, us, nil, content))
	f.Add(encrypted(f, us, &biller, content))
	f.Add(encrypted(f, biller, &biller, content))
	f.Add([]byte("-----BEGIN PGP MESSAGE-----\n\nwcBM\n=AAAA\n-----END PGP MESSAGE-----\n"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		text, _, err := unpackBytes(t, "a.csv.pgp", packed, Options{Keys: keys, MaxSize: 1 << 20})
		switch {
		case err != nil && strings.HasPrefix(rule(err), "error"):
			t.Fatalf("not a fault of the file: %v", err)
		case err == nil && text != content:
			t.Fatalf("nobody has encrypted %q", text)
		}
	})
}
