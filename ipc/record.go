package ipc

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/flynn/noise"
)

// sealer encrypts the frames of one direction and says when a new key is due.
// It is used by whoever has the writing turn: nonces are counted in it, and a
// nonce used twice would give the key away.
type sealer struct {
	state  *noise.CipherState
	limits *Limits
	frames uint64 // since the last key
	bytes  uint64
	since  time.Time
}

// stale reports whether the key has been used enough.
func (s *sealer) stale(now time.Time) bool {
	l := s.limits
	return s.frames > 0 && (s.frames >= l.RekeyFrames || s.bytes >= l.RekeyBytes || now.Sub(s.since) >= l.RekeyAfter)
}

// seal writes one frame to b, whose capacity must suffice, and returns its
// length on the socket.
func (s *sealer) seal(b []byte, h header, payload []byte) (int, error) {
	b = b[:lengthSize+headerSize+len(payload)]
	h.put(b[lengthSize:])
	copy(b[lengthSize+headerSize:], payload)
	record, err := s.state.Encrypt(b[lengthSize:lengthSize], nil, b[lengthSize:])
	if err != nil {
		return 0, err // cannot happen: a key is replaced long before its nonces end
	}
	binary.BigEndian.PutUint32(b, uint32(len(record)))
	s.frames++
	s.bytes += uint64(len(record))
	return lengthSize + len(record), nil
}

// rekey goes on with the next key (Noise specification, section 11.3).
func (s *sealer) rekey(now time.Time) {
	s.state.Rekey()
	s.frames, s.bytes, s.since = 0, 0, now
}

// opener decrypts the frames of the other direction. Only the reading
// goroutine uses it.
type opener struct {
	state  *noise.CipherState
	frames uint64 // since the last key

	begun *part            // the message that the next frame probably continues, or nil
	under [headerSize]byte // what lies under the header that was decrypted behind it

	count, keys atomic.Uint64
}

// open decrypts a record and splits it. It guesses that a fragment belongs to
// the message that the last one did, and decrypts it to where it then has to
// be: that is faster than in place, and saves a copy. The header comes to lie
// on the message's last bytes, which are put back. If the guess is wrong,
// nothing is lost: the payload is copied from where no message reaches yet.
func (o *opener) open(record []byte) (header, []byte, error) {
	to := record[:0]
	place := o.begun.place(len(record) - tagSize)
	if place != nil {
		copy(o.under[:], place)
		to = place[:0]
	}
	plain, err := o.decrypt(to, record)
	if err != nil {
		return header{}, nil, err
	}
	h, payload, err := parseFrame(plain)
	if place != nil {
		copy(place, o.under[:])
	}
	return h, payload, err
}

func (o *opener) decrypt(to, record []byte) ([]byte, error) {
	plain, err := o.state.Decrypt(to, nil, record)
	if err != nil {
		return nil, broken(RuleAuth, "a frame of %d bytes does not authenticate", len(record))
	}
	o.frames++
	o.count.Add(1)
	return plain, nil
}

// rekey follows the peer to its next key. The frame that asks for it counts;
// one more must have come before it, or asking would be a way to burn time.
func (o *opener) rekey() error {
	if o.frames < 2 {
		return broken(RuleRekey, "a second one without a frame between")
	}
	o.state.Rekey()
	o.frames = 0
	o.keys.Add(1)
	return nil
}
