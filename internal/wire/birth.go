package wire

import (
	"encoding/binary"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Version of everything that crosses the trust line. Supervisor and worker are
// built together; any difference refuses the handshake.
const Version = 1

// Birth is what a worker learns before it can talk: its identity and the
// secret of its channel. The supervisor writes it, in CBOR and at most
// MaxBirth bytes long, to a pipe that the worker inherits, and closes the pipe.
type Birth struct {
	Version   int           `cbor:"1,keyasint"`
	Instance  mp.InstanceID `cbor:"2,keyasint"`
	Pid       int           `cbor:"3,keyasint"` // on the host; inside it is 1
	StartTime uint64        `cbor:"4,keyasint"` // clock ticks since boot
	Policy    mp.Digest     `cbor:"5,keyasint"` // of every setting the worker was started with
	Secret    [32]byte      `cbor:"6,keyasint"` // the pre-shared key of this channel alone
}

// MaxBirth is the longest Birth in bytes.
const MaxBirth = 1024

// Prologue binds the handshake to this worker (Noise specification, section
// 6): both ends must hold the same values, or no message is ever accepted.
// The secret is not in it: it enters the handshake as the pre-shared key.
func (b Birth) Prologue() []byte {
	p := []byte("mpsupervisor worker channel\x00")
	p = binary.BigEndian.AppendUint32(p, uint32(b.Version))
	p = binary.BigEndian.AppendUint32(p, uint32(b.Pid))
	p = binary.BigEndian.AppendUint64(p, b.StartTime)
	p = append(p, b.Policy[:]...)
	return append(p, b.Instance...)
}
