package ipc

import (
	"bytes"
	"testing"
	"time"
)

// seeds are frames of each type and of each rule's breach.
func seeds(add func(plain []byte)) {
	for _, h := range []header{
		{kind: kindCall, number: 1, size: 3}, {kind: kindCall, number: 1, size: 3, files: 4}, {kind: kindNotify, number: 1, size: 9},
		{kind: kindReply, number: 1, size: 3}, {kind: kindError, number: 1, size: 3}, {kind: kindReply, flags: flagContinued, number: 1, size: 9},
		{kind: kindCancel, number: 1}, {kind: kindCredit, size: 5}, {kind: kindCredit, flags: flagReplies, size: 1 << 31}, {kind: kindRekey}, {kind: kindClose}, {kind: 9},
	} {
		b := make([]byte, headerSize, headerSize+3)
		h.put(b)
		add(b)
		add(append(b, "abc"...))
	}
}

// What parseFrame lets through is written again as it was, and keeps the
// promises that the rest relies on.
func FuzzParseFrame(f *testing.F) {
	seeds(func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		h, payload, err := parseFrame(b)
		if err != nil {
			if brokenRule(err) == "" {
				t.Errorf("an error that names no rule: %v", err)
			}
			return
		}
		again := make([]byte, headerSize)
		h.put(again)
		if again = append(again, payload...); !bytes.Equal(again, b) {
			t.Errorf("%x is written again as %x", b, again)
		}
		if len(payload) > int(h.size) || h.files > maxFiles || h.files > 0 && h.kind != kindCall {
			t.Errorf("let through: %+v with %d bytes", h, len(payload))
		}
	})
}

// Bytes before the handshake: New fails, whatever they are.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0}, false)
	f.Add([]byte{255, 255, 255, 255}, true)
	f.Add(framed(pattern(60)), false)
	f.Add(framed(pattern(60)), true)
	f.Fuzz(func(t *testing.T, b []byte, connInitiates bool) {
		c, _, err := meet(t, connInitiates, nil, Limits{Handshake: 10 * time.Second}, func(p *peer) {
			p.write(b)
			p.file.Close()
		})
		if err == nil {
			t.Errorf("%x was taken for a handshake", b)
			c.Close()
		}
	})
}

// Bytes after the handshake: the connection ends, and no handler has run.
func FuzzRawBytes(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255})
	f.Add(framed(pattern(60)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, p := versus(t, true, handler{notify: func([]byte) { t.Error("forged") }}, Limits{})
		p.write(b)
		p.file.Close()
		ended(t, c)
		if s := c.Stats(); s.FramesIn != 0 {
			t.Errorf("%d frames of forged bytes", s.FramesIn)
		}
	})
}

// Frames that authenticate, each a byte for its length and so many of plain
// text: a peer that knows the secret and breaks whatever rule it likes.
func FuzzFrames(f *testing.F) {
	seeds(func(b []byte) {
		f.Add(append([]byte{byte(len(b))}, b...), true)
		f.Add(append([]byte{byte(len(b))}, b...), false)
	})
	f.Fuzz(func(t *testing.T, b []byte, connInitiates bool) {
		c, p := versus(t, connInitiates, handler{}, Limits{Message: 64, Calls: 2})
		for len(b) > 0 {
			n := min(int(b[0]), len(b)-1)
			p.write(p.sealed(b[1 : 1+n]))
			b = b[1+n:]
		}
		p.file.Close()
		ended(t, c)
		settle(t, func() bool { return c.Stats().InFlightOut == 0 })
	})
}
