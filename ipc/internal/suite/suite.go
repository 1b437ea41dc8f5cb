// Package suite chooses the ciphers of a channel.
//
// It is apart from ipc so that benchmarks can measure the same channel without
// encryption: ipctest, and nothing outside the ipc directory, can name a Suite
// and make one of its own. No configuration reaches it.
package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"github.com/flynn/noise"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/cpu"
)

// Suite is a choice of cipher. Both ends must make the same.
type Suite struct{ Cipher noise.CipherFunc }

// Strong chooses AES-GCM where the processor has instructions for it, and
// ChaCha20-Poly1305 elsewhere: without them AES is slow, and leaks its key
// through the time that it takes. Both ends run on one machine, so they agree.
func Strong() Suite {
	if fastAES() {
		return Suite{AESGCM}
	}
	return Suite{ChaChaPoly}
}

// fastAES reports what crypto/aes and its GCM need for their assembly.
func fastAES() bool {
	x86 := cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
	arm := cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
	return x86 || arm
}

// Noise gives the suite's Noise primitives (Noise specification, section 12).
func (s Suite) Noise() noise.CipherSuite {
	return noise.NewCipherSuite(noise.DH25519, s.Cipher, noise.HashSHA256)
}

// The two ciphers of the Noise specification, sections 12.3 and 12.4. They are
// flynn/noise's but for the nonce, which is kept instead of allocated anew for
// each frame; so one cipher is not safe for concurrent use. A CipherState is
// not either.
var (
	AESGCM     noise.CipherFunc = function{"AESGCM", newAESGCM, binary.BigEndian.PutUint64}
	ChaChaPoly noise.CipherFunc = function{"ChaChaPoly", chacha20poly1305.New, binary.LittleEndian.PutUint64}
)

// function is one AEAD and the byte order of its nonce.
type function struct {
	name string
	make func(key []byte) (cipher.AEAD, error)
	put  func(b []byte, n uint64)
}

func (f function) CipherName() string { return f.name }

func (f function) Cipher(key [32]byte) noise.Cipher {
	a, err := f.make(key[:])
	if err != nil {
		panic("ipc: cannot happen: a key of 32 bytes is refused: " + err.Error())
	}
	return &aead{aead: a, put: f.put}
}

func newAESGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// aead is a keyed cipher. The first four bytes of its nonce stay zero.
type aead struct {
	aead  cipher.AEAD
	put   func(b []byte, n uint64)
	nonce [12]byte
}

func (a *aead) Encrypt(out []byte, n uint64, ad, plaintext []byte) []byte {
	a.put(a.nonce[4:], n)
	return a.aead.Seal(out, a.nonce[:], plaintext, ad)
}

func (a *aead) Decrypt(out []byte, n uint64, ad, ciphertext []byte) ([]byte, error) {
	a.put(a.nonce[4:], n)
	return a.aead.Open(out, a.nonce[:], ciphertext, ad)
}
