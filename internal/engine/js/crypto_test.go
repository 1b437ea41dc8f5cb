package js

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"testing"
)

// TestSmallOrder takes each of the points whose order divides 8 in each
// encoding. Package ed25519 accepts a signature under the identity, which
// shows that the check does something.
func TestSmallOrder(t *testing.T) {
	signature := make([]byte, ed25519.SignatureSize)
	signature[0] = 1 // R is the identity, and S is 0
	identity := [32]byte{1}
	if !ed25519.Verify(identity[:], []byte("anything"), signature) {
		t.Error("package ed25519 has a check of its own now")
	}
	if verifyEd25519(identity[:], []byte("anything"), signature) {
		t.Error("a signature holds under the identity")
	}
	for y := range smallY {
		for _, sign := range []byte{0, 0x80} {
			p := y
			p[31] |= sign
			if !smallOrder(p) {
				t.Errorf("%x is not of small order", p)
			}
		}
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !verifyEd25519(public, []byte("x"), ed25519.Sign(private, []byte("x"))) {
		t.Error("a good signature does not verify")
	}
}

// TestDERFitsX509 holds that what is written here is what package x509 reads.
func TestDERFitsX509(t *testing.T) {
	secret := bytes.Repeat([]byte{1}, 66)
	secret[0] = 0
	for name, kt := range keyTypes {
		private, public := secret[:32], []byte(nil)
		if kt.curve != nil {
			private = secret[66-scalarBytes(kt.curve):]
			var ok bool
			if public, ok = publicPoint(kt.curve, private); !ok {
				t.Fatalf("%s: no private key", name)
			}
		} else {
			public = ed25519.NewKeyFromSeed(private)[32:]
		}
		der, err := kt.pkcs8(private, public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x509.ParsePKCS8PrivateKey(der); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, ok := kt.parsePkcs8(der); !ok || !bytes.Equal(got, private) {
			t.Errorf("%s: the private key came back as %x", name, got)
		}
		der, err = kt.spki(public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x509.ParsePKIXPublicKey(der); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, ok := kt.parseSpki(der); !ok || !bytes.Equal(got, public) {
			t.Errorf("%s: the public key came back as %x", name, got)
		}
	}
}

// TestOthersPkcs8 reads a key with what may stand behind it.
func TestOthersPkcs8(t *testing.T) {
	// RFC 8410, section 10.3: with attributes and the public key.
	const withMore = "3072020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842" +
		"a01f301d060a2a864886f70d01090914310f0c0d437572646c6520436861697273812100" + "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
	der, err := hex.DecodeString(withMore)
	if err != nil {
		t.Fatal(err)
	}
	seed, ok := keyTypes["Ed25519"].parsePkcs8(der)
	if want := "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"; !ok || hex.EncodeToString(seed) != want {
		t.Errorf("got %x, want %s", seed, want)
	}
}

func FuzzDER(f *testing.F) {
	for _, kt := range keyTypes {
		private := bytes.Repeat([]byte{1}, 32)
		var public []byte
		if kt.curve != nil {
			private = append(make([]byte, scalarBytes(kt.curve)-32), private...)
			public, _ = publicPoint(kt.curve, private)
		}
		for _, der := range [][]byte{must(kt.pkcs8(private, public)), must(kt.spki(public))} {
			f.Add(der)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		for name, kt := range keyTypes {
			if public, ok := kt.parseSpki(der); ok && !bytes.Equal(must(kt.spki(public)), der) {
				t.Errorf("%s: %x is read, and written otherwise", name, der)
			}
			private, ok := kt.parsePkcs8(der)
			if !ok {
				continue
			}
			var public []byte
			if kt.curve != nil {
				public, _ = publicPoint(kt.curve, private)
			}
			again, ok := kt.parsePkcs8(must(kt.pkcs8(private, public)))
			if !ok || !bytes.Equal(again, private) {
				t.Errorf("%s: %x is a private key, and %x another", name, private, again)
			}
		}
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
