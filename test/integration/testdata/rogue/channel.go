package main

import (
	"encoding/binary"
	"io"
	"os"

	"github.com/flynn/noise"
	"golang.org/x/sys/cpu"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// The types of frames: see "Frames" in docs/protocol.md.
const (
	frameCall         = 1
	frameReply        = 2
	frameNotification = 4
	frameClose        = 8
)

// channel is a worker's end that can break every rule.
type channel struct {
	file    *os.File
	out, in *noise.CipherState
	number  uint64 // of the latest message sent
	last    []byte // the latest record sent
}

// shake is the responder's half of the handshake.
func shake(f *os.File, b wire.Birth) *channel {
	cipher := noise.CipherChaChaPoly
	if x := cpu.X86; x.HasAES && x.HasPCLMULQDQ && x.HasSSE41 && x.HasSSSE3 || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL {
		cipher = noise.CipherAESGCM
	}
	hs := must(noise.NewHandshakeState(noise.Config{
		CipherSuite: noise.NewCipherSuite(noise.DH25519, cipher, noise.HashSHA256),
		Pattern:     noise.HandshakeNN, PresharedKey: b.Secret[:], Prologue: b.Prologue(),
	}))
	c := &channel{file: f}
	_, _, _, err := hs.ReadMessage(nil, c.record())
	check(err)
	// What we accept: messages of 2 MiB, 64 calls, a window of 4 MiB.
	hello, in, out, err := hs.WriteMessage(nil, []byte{0, 0x20, 0, 0, 0, 0, 0, 64, 0, 0x40, 0, 0})
	check(err)
	c.in, c.out = in, out
	c.raw(framed(hello))
	return c
}

// framed puts the length before a record.
func framed(record []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(record))), record...)
}

// raw writes bytes as they are. The channel's end is the end of this process.
func (c *channel) raw(b []byte) {
	_, err := c.file.Write(b)
	check(err)
}

// record reads one record.
func (c *channel) record() []byte {
	var length [4]byte
	_, err := io.ReadFull(c.file, length[:])
	check(err)
	b := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err = io.ReadFull(c.file, b)
	check(err)
	return b
}

// receive waits for the next call and gives its number and message. Our
// supervisor's messages are short here: one frame each.
func (c *channel) receive() (number uint64, method wire.Method, body []byte) {
	for {
		frame := must(c.in.Decrypt(nil, nil, c.record()))
		if frame[0] != frameCall {
			continue // credit, or a cancel
		}
		method, body, err := wire.Split(frame[16:])
		check(err)
		return binary.BigEndian.Uint64(frame[8:16]), method, body
	}
}

// send sends a frame whose header is right.
func (c *channel) send(kind byte, number uint64, body []byte) {
	c.sendSized(kind, number, uint32(len(body)), body)
}

// sendSized sends a frame that claims to be of a message of size bytes.
func (c *channel) sendSized(kind byte, number uint64, size uint32, body []byte) {
	header := binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, size)
	frame := append(binary.BigEndian.AppendUint64(header, number), body...)
	c.last = framed(must(c.out.Encrypt(nil, nil, frame)))
	c.raw(c.last)
}

// say sends a frame with the next number.
func (c *channel) say(kind byte, body []byte) {
	c.number++
	c.send(kind, c.number, body)
}

// notify sends a message of the protocol.
func (c *channel) notify(m wire.Method, v wire.Message) {
	c.say(frameNotification, must(wire.Marshal(m, v)))
}
