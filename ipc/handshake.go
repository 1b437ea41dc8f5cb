package ipc

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"

	"github.com/flynn/noise"

	"github.com/mpsupervisor/mpsupervisor/ipc/internal/suite"
)

// announced is what an end accepts, told to the other in the payload of its
// handshake message: three numbers of four bytes, big-endian.
type announced struct{ message, calls, window uint32 }

const announcedSize = 12

func (a announced) bytes() []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, announcedSize), a.message)
	b = binary.BigEndian.AppendUint32(b, a.calls)
	return binary.BigEndian.AppendUint32(b, a.window)
}

func parseAnnounced(b []byte) (announced, error) {
	if len(b) != announcedSize {
		return announced{}, broken(RuleHandshake, "a payload of %d bytes, not %d", len(b), announcedSize)
	}
	a := announced{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])}
	if err := a.check(); err != nil {
		return a, broken(RuleHandshake, "%v", err)
	}
	return a, nil
}

// check holds the numbers against what makes sense.
func (a announced) check() error {
	switch {
	case a.message < 1 || a.message > maxMessage:
		return limitError("a message", a.message, 1, maxMessage)
	case a.calls < 1 || a.calls > maxCalls:
		return limitError("calls in flight", a.calls, 1, maxCalls)
	case a.window < 2*a.message || a.window > maxWindow:
		return limitError("the window", a.window, 2*a.message, maxWindow)
	}
	return nil
}

// handshake runs Noise_NNpsk0 (Noise specification, sections 7.5 and 9):
//
//	-> psk, e     what the initiator accepts
//	<- e, ee      what the responder accepts
//
// and leaves the connection ready to send and receive.
func (c *Conn) handshake(ctx context.Context, cfg Config, s suite.Suite) error {
	state, err := noise.NewHandshakeState(noise.Config{
		CipherSuite: s.Noise(), Pattern: noise.HandshakeNN, Initiator: cfg.Initiator,
		Prologue: cfg.Prologue, PresharedKey: cfg.Secret[:], PresharedKeyPlacement: 0,
	})
	if err != nil {
		return err
	}
	if err := c.file.SetDeadline(time.Now().Add(c.limits.Handshake)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.file.SetDeadline(time.Unix(1, 0)) })
	err = c.exchange(state, cfg.Initiator)
	if !stop() {
		return ctx.Err() // the deadline may already be set to the past
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return broken(RuleDeadline, "no handshake within %v", c.limits.Handshake)
	}
	if err != nil {
		return err
	}
	return c.file.SetDeadline(time.Time{})
}

// exchange sends and receives the two messages and takes their keys.
func (c *Conn) exchange(state *noise.HandshakeState, initiator bool) error {
	var first, second *noise.CipherState
	steps := []func() error{
		func() (err error) { first, second, err = c.say(state); return err },
		func() (err error) { first, second, err = c.hear(state); return err },
	}
	if !initiator {
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if !initiator {
		first, second = second, first
	}
	c.out.seal = sealer{state: first, limits: &c.limits, since: time.Now()}
	c.open.state = second
	return nil
}

// say sends this end's message.
func (c *Conn) say(state *noise.HandshakeState) (first, second *noise.CipherState, err error) {
	record, first, second, err := state.WriteMessage(make([]byte, lengthSize, 128), c.limits.announced().bytes())
	if err != nil { // of this end's doing nothing can fail
		return nil, nil, broken(RuleHandshake, "the peer's key is of low order")
	}
	binary.BigEndian.PutUint32(record, uint32(len(record)-lengthSize))
	if _, err := c.file.Write(record); err != nil {
		if gone(err) {
			err = io.ErrUnexpectedEOF
		}
		return nil, nil, err
	}
	return first, second, nil
}

// hear takes the peer's message.
func (c *Conn) hear(state *noise.HandshakeState) (first, second *noise.CipherState, err error) {
	record, err := c.in.next(1)
	if err != nil {
		return nil, nil, err
	}
	payload, first, second, err := state.ReadMessage(nil, record)
	if err != nil {
		return nil, nil, broken(RuleHandshake, "the message does not authenticate: another secret or prologue, or it was altered")
	}
	c.peer, err = parseAnnounced(payload)
	return first, second, err
}
