package image

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// A sealed file is a header and chunks (the STREAM construction of Hoang,
// Reyhanitabar, Rogaway and Vizár, https://eprint.iacr.org/2015/189):
//
//	offset size
//	     0    8  magic "mpsealed"
//	     8    4  format version, big-endian
//	    12   32  salt, random
//	    44       chunks of 65,536 bytes and their tags of 16; the last may be shorter
//
// The key of the file is HKDF-SHA-256 (RFC 5869) of the store's key and the salt.
// The nonce of a chunk is its number in 11 bytes, big-endian, and a byte that is 1
// for the last and 0 for the others. Each chunk has the header and the binding as
// its additional data.
const (
	sealMagic   = "mpsealed"
	sealVersion = 1
	saltSize    = 32
	headerSize  = 12 + saltSize
	chunkSize   = 64 << 10
	tagSize     = 16
	keySize     = 32
	keyInfo     = "mpsupervisor sealed file 1"
)

// kind says what a sealed file holds.
type kind string

const (
	kindReady    = kind(mp.ImageReady)
	kindInstance = kind(mp.ImageInstance)
	kindState    = kind("state")    // what a program saved itself
	kindRegistry = kind("registry") // of hibernated programs
	kindCounter  = kind("counter")  // of the registry's changes
)

// binding is what a sealed file is of. A file opens with the same binding alone.
type binding struct {
	kind    kind
	app     mp.AppID
	digest  mp.Digest     // of the package
	build   string        // of the worker that wrote the image
	owner   mp.InstanceID // the hibernated program
	counter uint64        // never used twice by one store
}

// marshal puts a length before each text, so that no two bindings are the same.
func (b binding) marshal() []byte {
	var p []byte
	for _, s := range []string{string(b.kind), string(b.app), b.build, string(b.owner)} {
		p = binary.BigEndian.AppendUint32(p, uint32(len(s)))
		p = append(p, s...)
	}
	p = append(p, b.digest[:]...)
	return binary.BigEndian.AppendUint64(p, b.counter)
}

// errNotAuthentic says that a file is not what was sealed under this key for
// this purpose; it cannot say what was done to it.
var errNotAuthentic = errors.New("it was changed, or is not the one that was kept")

// key seals and opens files.
type key [keySize]byte

// stream seals or opens the chunks of one file.
type stream struct {
	aead cipher.AEAD
	data []byte // additional
	next uint64
}

// stream begins a file with the given header.
func (k *key) stream(header []byte, b binding) (*stream, error) {
	secret, err := hkdf.Key(sha256.New, k[:], header[headerSize-saltSize:], keyInfo, keySize)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &stream{aead: aead, data: append(header[:headerSize:headerSize], b.marshal()...)}, err
}

func (s *stream) nonce(last bool) []byte {
	n := make([]byte, 3, 12)
	n = binary.BigEndian.AppendUint64(n, s.next)
	s.next++
	if last {
		return append(n, 1)
	}
	return append(n, 0)
}

// sealedSize is how long a file of n bytes is when it is sealed.
func sealedSize(n int64) int64 {
	chunks := max((n+chunkSize-1)/chunkSize, 1)
	return headerSize + n + chunks*tagSize
}

// plainSize is the opposite of sealedSize, negative if no file is so long.
func plainSize(sealed int64) int64 {
	rest := sealed - headerSize
	chunks := (rest + chunkSize + tagSize - 1) / (chunkSize + tagSize)
	if n := rest - chunks*tagSize; rest > 0 && n >= 0 && sealedSize(n) == sealed {
		return n
	}
	return -1
}

// seal writes size bytes of r to w, sealed.
func (k *key) seal(w io.Writer, b binding, r io.Reader, size int64) error {
	header := append(binary.BigEndian.AppendUint32([]byte(sealMagic), sealVersion), make([]byte, saltSize)...)
	rand.Read(header[headerSize-saltSize:])
	s, err := k.stream(header, b)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	return chunks(size, func(n int, last bool, buf []byte) error {
		if _, err := io.ReadFull(r, buf[:n]); err != nil {
			return err
		}
		_, err := w.Write(s.aead.Seal(buf[:0], s.nonce(last), buf[:n], s.data))
		return err
	})
}

// open writes what was sealed in r to w; sealed is the length of r. What has been
// written when there is an error must not be used.
func (k *key) open(w io.Writer, b binding, r io.Reader, sealed int64) error {
	size := plainSize(sealed)
	header := make([]byte, headerSize)
	if size < 0 {
		return errNotAuthentic
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return fmt.Errorf("cannot read it: %w", err)
	}
	if string(header[:8]) != sealMagic || binary.BigEndian.Uint32(header[8:]) != sealVersion {
		return errNotAuthentic
	}
	s, err := k.stream(header, b)
	if err != nil {
		return err
	}
	return chunks(size, func(n int, last bool, buf []byte) error {
		if _, err := io.ReadFull(r, buf[:n+tagSize]); err != nil {
			return fmt.Errorf("cannot read it: %w", err)
		}
		plain, err := s.aead.Open(buf[:0], s.nonce(last), buf[:n+tagSize], s.data)
		if err != nil {
			return errNotAuthentic
		}
		_, err = w.Write(plain)
		return err
	})
}

// chunks calls do for each chunk of size bytes, at least once, with a buffer that
// has room for the chunk and its tag.
func chunks(size int64, do func(n int, last bool, buf []byte) error) error {
	buf := make([]byte, min(size, chunkSize)+tagSize)
	for {
		n := min(size, chunkSize)
		size -= n
		if err := do(int(n), size == 0, buf); err != nil || size == 0 {
			return err
		}
	}
}
