package ipc

import (
	"encoding/binary"
	"fmt"
)

// A frame on the socket is a length of four bytes and one Noise message:
//
//	length (4) | ciphertext: header (16), payload | tag (16)
//
// The length counts what follows it. All numbers are big-endian.
const (
	lengthSize = 4
	headerSize = 16
	tagSize    = 16

	maxRecord  = 65535 // the longest Noise message (specification, section 3)
	minRecord  = headerSize + tagSize
	maxPayload = maxRecord - minRecord
	maxError   = 4096 // bytes of an error reply's text
	maxFiles   = 4    // descriptors with one call
)

// kind is a frame's type.
type kind byte

const (
	kindCall   kind = 1 // a request that has a reply
	kindReply  kind = 2
	kindError  kind = 3 // a reply, too: the handler failed
	kindNotify kind = 4
	kindCancel kind = 5 // the sender gives up the message with this number
	kindCredit kind = 6
	kindRekey  kind = 7 // the sender's next frame has a new key
	kindClose  kind = 8 // the sender's last frame
)

// Flags. The table forms says which types allow them.
const (
	flagContinued = 1 // not the first fragment of its message
	flagReplies   = 1 // in a credit frame: for replies, not for requests
)

// header precedes every frame's payload, inside the encryption.
//
//	type (1) | flags (1) | descriptors (1) | zero (1) | size (4) | number (8)
type header struct {
	kind   kind
	flags  byte
	files  byte   // how many descriptors came with the frame's first byte
	size   uint32 // of the whole message; in a credit frame the bytes granted
	number uint64 // of the message, from 1; 0 where there is none
}

// form says what a frame's type allows. Whatever it does not allow is zero.
type form struct {
	flags   byte
	files   bool
	message bool // belongs to a message: has a number
	payload bool // and carries a part of it
}

var forms = [...]form{
	kindCall:   {flags: flagContinued, files: true, message: true, payload: true},
	kindReply:  {flags: flagContinued, message: true, payload: true},
	kindError:  {message: true, payload: true},
	kindNotify: {flags: flagContinued, message: true, payload: true},
	kindCancel: {message: true},
	kindCredit: {flags: flagReplies},
	kindRekey:  {},
	kindClose:  {},
}

// put writes h to b, which has headerSize bytes.
func (h header) put(b []byte) {
	b[0], b[1], b[2], b[3] = byte(h.kind), h.flags, h.files, 0
	binary.BigEndian.PutUint32(b[4:], h.size)
	binary.BigEndian.PutUint64(b[8:], h.number)
}

// parseFrame splits a decrypted frame and checks all that can be checked
// without knowing what came before. The payload is a part of b.
func parseFrame(b []byte) (header, []byte, error) {
	if len(b) < headerSize {
		return header{}, nil, broken(RuleLength, "a frame of %d bytes has no header", len(b))
	}
	h := header{
		kind: kind(b[0]), flags: b[1], files: b[2],
		size:   binary.BigEndian.Uint32(b[4:]),
		number: binary.BigEndian.Uint64(b[8:]),
	}
	payload := b[headerSize:]
	if int(h.kind) >= len(forms) || h.kind == 0 {
		return h, nil, broken(RuleHeader, "there is no type %d", h.kind)
	}
	if b[3] != 0 {
		return h, nil, broken(RuleHeader, "byte 3 is %d, not 0", b[3])
	}
	return h, payload, h.check(len(payload))
}

// check holds a header against its type's form.
func (h header) check(payload int) error {
	f := forms[h.kind]
	first := h.flags&flagContinued == 0
	switch {
	case h.flags&^f.flags != 0:
		return broken(RuleHeader, "type %d has flags %#x", h.kind, h.flags)
	case h.files > 0 && !(f.files && first):
		return broken(RuleFiles, "type %d with flags %#x announces %d descriptors", h.kind, h.flags, h.files)
	case h.files > maxFiles:
		return broken(RuleFiles, "%d descriptors are announced, at most %d are allowed", h.files, maxFiles)
	case f.message != (h.number != 0):
		return broken(RuleHeader, "type %d has number %d", h.kind, h.number)
	case !f.payload && payload != 0:
		return broken(RuleHeader, "type %d has a payload of %d bytes", h.kind, payload)
	case f.payload:
		return h.checkPart(payload)
	case (h.size != 0) != (h.kind == kindCredit):
		return broken(RuleHeader, "type %d has size %d", h.kind, h.size)
	}
	return nil
}

// checkPart checks a frame that carries a message or a fragment of one.
func (h header) checkPart(payload int) error {
	switch {
	case payload > int(h.size):
		return broken(RuleFragment, "%d bytes of a message of %d", payload, h.size)
	case payload == 0 && h.size != 0:
		return broken(RuleFragment, "no byte of a message of %d", h.size)
	case h.size == 0 && h.flags&flagContinued != 0:
		return broken(RuleFragment, "an empty message goes on")
	case h.kind == kindError && (int(h.size) != payload || payload > maxError):
		return broken(RuleMessage, "%d bytes of an error text of %d, at most %d are allowed", payload, h.size, maxError)
	}
	return nil
}

func broken(r Rule, format string, args ...any) *ProtocolError {
	return &ProtocolError{Rule: r, Detail: fmt.Sprintf(format, args...)}
}
