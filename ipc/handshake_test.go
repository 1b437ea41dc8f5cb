package ipc

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// A peer written from the specification alone understands, and is understood.
func TestHandshakeWithIndependentPeer(t *testing.T) {
	for _, connInitiates := range []bool{true, false} {
		c, p := versus(t, connInitiates, handler{}, Limits{Message: 1000, Calls: 3})
		if p.announced != (announced{1000, 3, 2000}) {
			t.Errorf("announced %+v", p.announced)
		}
		p.send(kindCall, 1, "hello")
		if h, body := p.receive(); h.kind != kindReply || h.number != 1 || string(body) != "hello" {
			t.Errorf("initiator %v: reply is %+v %q", connInitiates, h, body)
		}
		if name := c.HandshakeName(); !strings.HasPrefix(name, "Noise_NNpsk0_25519_") || !strings.HasSuffix(name, "_SHA256") {
			t.Errorf("handshake name %q", name)
		}
		c.Close()
		if h, _ := p.receive(); h.kind != kindClose {
			t.Errorf("last frame is %+v", h)
		}
	}
}

func TestHandshakeFailsUnlessBothAgree(t *testing.T) {
	noLeaks(t)
	for name, change := range map[string]func(*Config){
		"secret":   func(c *Config) { c.Secret[31] ^= 1 },
		"prologue": func(c *Config) { c.Prologue = append(c.Prologue, 0) },
	} {
		a, b := config(true, nil, Limits{}), config(false, nil, Limits{})
		change(&b)
		_, _, errX, errY := tryConnect(t, a, b)
		if brokenRule(errY) != RuleHandshake {
			t.Errorf("%s: responder: %v", name, errY)
		}
		if !errors.Is(errX, io.ErrUnexpectedEOF) {
			t.Errorf("%s: initiator: %v", name, errX)
		}
	}
}

func TestBadHandshakes(t *testing.T) {
	noLeaks(t)
	for name, test := range map[string]struct {
		do   func(*peer)
		rule Rule
	}{
		"garbage":          {func(p *peer) { p.write([]byte("\x00\x00\x00\x40" + strings.Repeat("g", 64))) }, RuleHandshake},
		"HTTP":             {func(p *peer) { p.write([]byte("GET / HTTP/1.1\r\n\r\n")) }, RuleLength},
		"zero length":      {func(p *peer) { p.write(make([]byte, 4)) }, RuleLength},
		"4 GiB":            {func(p *peer) { p.write([]byte{255, 255, 255, 255}) }, RuleLength},
		"65536":            {func(p *peer) { p.write([]byte{0, 1, 0, 0}) }, RuleLength},
		"short":            {func(p *peer) { p.write(framed(make([]byte, 31))) }, RuleHandshake},
		"half, then gone":  {func(p *peer) { p.write(framed(make([]byte, 60))[:30]); p.file.Close() }, RuleTruncated},
		"half, then quiet": {func(p *peer) { p.write(framed(make([]byte, 60))[:30]) }, RuleDeadline},
		"quiet":            {func(p *peer) {}, RuleDeadline},
		"zero key": {func(p *peer) {
			p.start(secret[:], prologue)
			p.mixHash(make([]byte, 32))
			p.mixKey(make([]byte, 32))
			p.write(framed(append(make([]byte, 32), seal(p.key, 0, p.h, p.announces.bytes())...)))
		}, RuleHandshake},
		"other secret": {func(p *peer) {
			p.start(make([]byte, 32), prologue)
			p.write(p.hello())
		}, RuleHandshake},
		"announces nothing":   {announcing(announced{}), RuleHandshake},
		"announces too much":  {announcing(announced{1 << 31, 64, 1 << 31}), RuleHandshake},
		"announces no window": {announcing(announced{1000, 64, 1999}), RuleHandshake},
		"descriptors":         {func(p *peer) { p.writeWith([]byte{0}, 0) }, RuleFiles},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := meet(t, false, nil, Limits{Handshake: 200 * time.Millisecond}, test.do)
			if brokenRule(err) != test.rule {
				t.Errorf("got %v, want rule %q", err, test.rule)
			}
		})
	}
}

func announcing(a announced) func(*peer) {
	return func(p *peer) {
		p.announces = a
		p.start(secret[:], prologue)
		p.write(p.hello())
	}
}

// Any flipped bit in either handshake message ends the handshake.
func TestAlteredHandshake(t *testing.T) {
	noLeaks(t)
	for i := range 4 + 32 + announcedSize + tagSize {
		_, _, err := meet(t, false, nil, Limits{Handshake: 100 * time.Millisecond}, func(p *peer) {
			p.start(secret[:], prologue)
			b := p.hello()
			b[i] ^= 0x80
			p.write(b)
		})
		if rule := brokenRule(err); rule == "" {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	noLeaks(t)
	ours, theirs, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(10*time.Millisecond, func() { cancel(errors.New("enough")) })
	if _, err := New(ctx, ours, config(true, nil, Limits{})); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSocketThatBlocksIsRefused(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Fd() // a regular file is refused likewise; this one is no socket
	if _, err := New(t.Context(), r, config(false, nil, Limits{})); err == nil {
		t.Error("a pipe was taken for a channel")
	}
}

func TestLimitsAreChecked(t *testing.T) {
	for _, l := range []Limits{
		{Message: -1}, {Message: maxMessage + 1}, {Calls: maxCalls + 1}, {Window: 1}, {Message: 1 << 20, Window: 1<<21 - 1},
		{Window: maxWindow + 1}, {Frame: -1}, {Idle: -1}, {Window: 1 << 40},
	} {
		ours, theirs, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(t.Context(), ours, config(true, nil, l)); err == nil || brokenRule(err) != "" {
			t.Errorf("%+v: %v", l, err)
		}
		theirs.Close()
	}
}
