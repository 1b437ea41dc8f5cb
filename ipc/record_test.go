package ipc

import (
	"crypto/aes"
	"crypto/cipher"
	"testing"
	"time"

	"github.com/flynn/noise"

	"github.com/mpsupervisor/mpsupervisor/ipc/internal/suite"
)

func keyed(s suite.Suite) (*sealer, *opener) {
	l, _ := Limits{}.filled()
	key := [32]byte{1}
	cs := s.Noise()
	return &sealer{state: noise.UnsafeNewCipherState(cs, key, 0), limits: &l, since: time.Now()},
		&opener{state: noise.UnsafeNewCipherState(cs, key, 0)}
}

func TestNothingIsAllocatedForAFrame(t *testing.T) {
	for _, s := range []suite.Suite{{Cipher: suite.AESGCM}, {Cipher: suite.ChaChaPoly}} {
		out, in := keyed(s)
		buf, payload := new([bufferSize]byte), pattern(maxPayload)
		n := testing.AllocsPerRun(100, func() {
			n, err := out.seal(buf[:], header{kind: kindNotify, number: 1, size: maxPayload}, payload)
			if err != nil || n != lengthSize+maxRecord {
				t.Fatal(n, err)
			}
			if _, _, err := in.open(buf[lengthSize:n]); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a frame", s.Cipher.CipherName(), n)
		}
	}
}

// BenchmarkSeal is what a frame of the largest fragment costs to make, against
// the cipher alone on as many bytes.
func BenchmarkSeal(b *testing.B) {
	payload := pattern(fragment)
	b.Run("frame", func(b *testing.B) {
		out, _ := keyed(suite.Strong())
		buf := new([bufferSize]byte)
		b.SetBytes(fragment)
		for b.Loop() {
			out.seal(buf[:], header{kind: kindNotify, number: 1, size: fragment}, payload)
		}
	})
	b.Run("AES-GCM", func(b *testing.B) {
		block, _ := aes.NewCipher(make([]byte, 32))
		gcm, _ := cipher.NewGCM(block)
		buf, nonce := make([]byte, 0, fragment+tagSize), make([]byte, 12)
		b.SetBytes(fragment)
		for b.Loop() {
			gcm.Seal(buf, nonce, payload, nil)
		}
	})
}
