// Package ipctest opens channels without encryption, to measure what the
// encryption costs. Only tests and benchmarks import it; one of its tests
// holds that no program does.
package ipctest

import (
	"context"
	"errors"
	"os"

	"github.com/flynn/noise"

	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/ipc/internal/suite"
)

// NewPlain is ipc.New with a cipher that changes nothing: the same code, the
// same frames of the same lengths, in the clear. Both ends must use it; an end
// of ipc.New refuses the handshake.
func NewPlain(ctx context.Context, f *os.File, cfg ipc.Config) (*ipc.Conn, error) {
	return ipc.NewWith(ctx, f, cfg, suite.Suite{Cipher: plain{}})
}

// tag is as long as an authentication tag, and always zero.
var tag [16]byte

// plain is a cipher and its own factory: it has no key.
type plain struct{}

func (plain) CipherName() string             { return "plain" }
func (plain) Cipher(_ [32]byte) noise.Cipher { return plain{} }

func (plain) Encrypt(out []byte, _ uint64, _, plaintext []byte) []byte {
	return append(put(out, plaintext), tag[:]...)
}

func (plain) Decrypt(out []byte, _ uint64, _, ciphertext []byte) ([]byte, error) {
	n := len(ciphertext) - len(tag)
	if n < 0 || [16]byte(ciphertext[n:]) != tag {
		return nil, errors.New("no tag")
	}
	return put(out, ciphertext[:n]), nil
}

// put appends, without a copy when the bytes are there already, as in a
// cipher's work in place.
func put(out, b []byte) []byte {
	if len(b) > 0 && cap(out)-len(out) >= len(b) && &out[:len(out)+1][len(out)] == &b[0] {
		return out[:len(out)+len(b)]
	}
	return append(out, b...)
}
