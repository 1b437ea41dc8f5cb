package ipc

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/ipc/internal/suite"
)

// peer is the other end of a channel, written from the Noise specification
// and docs/protocol.md with nothing of the code under test or of flynn/noise:
// that a Conn understands it is a known-answer test, and it can break rules.
type peer struct {
	t    *testing.T
	file *os.File

	ck, h     []byte
	key       []byte // of the handshake
	nonce     uint64
	out, in   oneWay
	private   *ecdh.PrivateKey
	theirs    *ecdh.PublicKey
	initiator bool
	announces announced
	announced announced // what the Conn accepts
}

// oneWay is one direction's key and nonce.
type oneWay struct {
	key []byte
	n   uint64
}

var secret = [32]byte([]byte("a secret of exactly 32 bytes....")[:32])

const prologue = "the same at both ends"

func config(initiator bool, h Handler, l Limits) Config {
	return Config{Initiator: initiator, Secret: secret, Prologue: []byte(prologue), Limits: l, Handler: h}
}

// versus opens a Conn against a peer that has behaved so far.
func versus(t *testing.T, connInitiates bool, h Handler, l Limits) (*Conn, *peer) {
	t.Helper()
	c, p, err := meet(t, connInitiates, h, l, func(p *peer) { p.handshake(secret[:], prologue) })
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

// meet lets a Conn and a peer meet, the peer doing what it likes.
func meet(t *testing.T, connInitiates bool, h Handler, l Limits, do func(*peer)) (*Conn, *peer, error) {
	t.Helper()
	return encounter(t, config(connInitiates, h, l), do)
}

// encounter is meet with a whole configuration.
func encounter(t *testing.T, cfg Config, do func(*peer)) (*Conn, *peer, error) {
	t.Helper()
	ours, theirs, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, file: theirs, initiator: !cfg.Initiator, announces: announced{2 << 20, 64, 4 << 20}}
	t.Cleanup(func() { theirs.Close() })
	done := make(chan struct{})
	go func() { defer close(done); do(p) }()
	c, err := New(context.Background(), ours, cfg)
	<-done
	if c != nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, p, err
}

// handshake runs Noise_NNpsk0 with SHA-256 by the letter of the specification,
// sections 5.2, 5.3 and 9.
func (p *peer) handshake(psk []byte, prologue string) {
	p.start(psk, prologue)
	if p.initiator {
		p.write(p.hello())
		p.hear(p.record())
	} else {
		p.hear(p.record())
		p.write(p.hello())
	}
	p.split()
}

func (p *peer) start(psk []byte, prologue string) {
	name := "Noise_NNpsk0_25519_" + suite.Strong().Cipher.CipherName() + "_SHA256"
	p.h = append([]byte(name), make([]byte, 32)...)[:32] // a name of up to 32 bytes is padded
	if len(name) > 32 {
		sum := sha256.Sum256([]byte(name))
		p.h = sum[:]
	}
	p.ck = p.h
	p.mixHash([]byte(prologue))
	out := hkdf(p.ck, psk, 3)
	p.ck, p.key, p.nonce = out[0], out[2], 0
	p.mixHash(out[1])
}

// hello makes this end's handshake message.
func (p *peer) hello() []byte {
	var err error
	if p.private, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
		p.t.Error(err)
	}
	e := p.private.PublicKey().Bytes()
	p.mixHash(e)
	p.mixKey(e)
	p.dh()
	ct := seal(p.key, p.nonce, p.h, p.announces.bytes())
	p.nonce++
	p.mixHash(ct)
	return framed(append(e, ct...))
}

// hear takes the Conn's.
func (p *peer) hear(record []byte) {
	if len(record) < 32 {
		return // the Conn ended it
	}
	var err error
	if p.theirs, err = ecdh.X25519().NewPublicKey(record[:32]); err != nil {
		p.t.Error(err)
	}
	p.mixHash(record[:32])
	p.mixKey(record[:32])
	p.dh()
	payload, err := open(p.key, p.nonce, p.h, record[32:])
	if err != nil {
		p.t.Errorf("the handshake message does not authenticate: %v", err)
		return
	}
	p.nonce++
	p.mixHash(record[32:])
	p.announced, _ = parseAnnounced(payload)
}

// dh mixes the shared secret in, once both keys are there.
func (p *peer) dh() {
	if p.private == nil || p.theirs == nil {
		return
	}
	shared, err := p.private.ECDH(p.theirs)
	if err != nil {
		p.t.Error(err)
	}
	p.mixKey(shared)
}

func (p *peer) mixHash(b []byte) {
	sum := sha256.Sum256(append(bytes.Clone(p.h), b...))
	p.h = sum[:]
}

func (p *peer) mixKey(b []byte) {
	out := hkdf(p.ck, b, 2)
	p.ck, p.key, p.nonce = out[0], out[1], 0
}

func (p *peer) split() {
	out := hkdf(p.ck, nil, 2)
	p.out.key, p.in.key = out[0], out[1]
	if !p.initiator {
		p.out, p.in = p.in, p.out
	}
}

// hkdf is section 4.3 of the Noise specification.
func hkdf(ck, input []byte, n byte) [][]byte {
	mac := func(key, b []byte) []byte {
		m := hmac.New(sha256.New, key)
		m.Write(b)
		return m.Sum(nil)
	}
	temp := mac(ck, input)
	var out [][]byte
	var last []byte
	for i := byte(1); i <= n; i++ {
		last = mac(temp, append(bytes.Clone(last), i))
		out = append(out, last)
	}
	return out
}

// aeadOf is section 12.3 or 12.4, with its nonce.
func aeadOf(key []byte, n uint64) (cipher.AEAD, []byte) {
	nonce := make([]byte, 12)
	if suite.Strong().Cipher.CipherName() == "ChaChaPoly" {
		a, _ := chacha20poly1305.New(key)
		binary.LittleEndian.PutUint64(nonce[4:], n)
		return a, nonce
	}
	block, _ := aes.NewCipher(key)
	a, _ := cipher.NewGCM(block)
	binary.BigEndian.PutUint64(nonce[4:], n)
	return a, nonce
}

func seal(key []byte, n uint64, ad, plain []byte) []byte {
	a, nonce := aeadOf(key, n)
	return a.Seal(nil, nonce, plain, ad)
}

func open(key []byte, n uint64, ad, ct []byte) ([]byte, error) {
	a, nonce := aeadOf(key, n)
	return a.Open(nil, nonce, ct, ad)
}

// rekey is section 4.2's REKEY.
func (w *oneWay) rekey() { w.key = seal(w.key, math.MaxUint64, nil, make([]byte, 32))[:32] }

// framed puts a record's length before it.
func framed(record []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(record))), record...)
}

// frame encrypts a frame as it goes on the socket.
func (p *peer) frame(h header, payload []byte) []byte {
	plain := make([]byte, 16, 16+len(payload))
	h.put(plain)
	return p.sealed(append(plain, payload...))
}

func (p *peer) sealed(plain []byte) []byte {
	record := seal(p.out.key, p.out.n, nil, plain)
	p.out.n++
	return framed(record)
}

// send sends a frame whose size is its payload's.
func (p *peer) send(k kind, number uint64, payload string) {
	p.write(p.frame(header{kind: k, number: number, size: uint32(len(payload))}, []byte(payload)))
}

// write may fail: the Conn may have ended already.
func (p *peer) write(b []byte) { p.file.Write(b) }

// writeWith sends bytes with descriptors.
func (p *peer) writeWith(b []byte, fds ...int) {
	raw, err := p.file.SyscallConn()
	if err != nil {
		p.t.Error(err)
		return
	}
	raw.Write(func(fd uintptr) bool {
		_, err = unix.SendmsgN(int(fd), b, unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL)
		return err != unix.EAGAIN
	})
	if err != nil {
		p.t.Error(err)
	}
}

// record reads one record; it is nil once the Conn has ended.
func (p *peer) record() []byte {
	var length [4]byte
	if _, err := io.ReadFull(p.file, length[:]); err != nil {
		return nil
	}
	record := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(p.file, record); err != nil {
		return nil
	}
	return record
}

// receive reads and decrypts one frame.
func (p *peer) receive() (header, []byte) {
	p.t.Helper()
	record := p.record()
	plain, err := open(p.in.key, p.in.n, nil, record)
	if err != nil {
		p.t.Fatalf("a frame of %d bytes does not authenticate: %v", len(record), err)
	}
	p.in.n++
	h, payload, err := parseFrame(plain)
	if err != nil {
		p.t.Fatal(err)
	}
	if h.kind == kindRekey {
		p.in.rekey()
	}
	return h, payload
}

// ended waits for the end of a connection and gives its reason.
func ended(t *testing.T, c *Conn) error {
	t.Helper()
	select {
	case <-c.Done():
		return c.Err()
	case <-time.After(20 * time.Second):
		t.Fatal("the connection does not end")
		return nil
	}
}
