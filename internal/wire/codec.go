package wire

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

var (
	encoder = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic}.EncMode())

	// decoder refuses what a sender of ours would never write. The bounds on
	// depth, arrays and maps hold before memory is taken for their elements.
	decoder = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   8,
		MaxArrayElements:  MaxExports,
		MaxMapPairs:       16,
		UTF8:              cbor.UTF8RejectInvalid,
	}.DecMode())
)

// must is for options that are constants: an error is a mistake in this file.
func must[T any](v T, err error) T {
	if err != nil {
		panic("bug: " + err.Error())
	}
	return v
}

// Message is implemented by every message: it checks what CBOR cannot.
type Message interface {
	// check reports the first member that breaks a limit of this package.
	check() error
}

// Marshal gives the body of a request or notification: the method, then v in
// CBOR. A v that breaks its own limits is refused: the other end would end us.
func Marshal(m Method, v Message) ([]byte, error) {
	b, err := MarshalReply(v)
	if err != nil {
		return nil, err
	}
	return append([]byte{byte(m)}, b...), nil
}

// MarshalReply gives the body of a reply, which carries no method.
func MarshalReply(v Message) ([]byte, error) {
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("cannot send %T: %w", v, err)
	}
	b, err := encoder.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cannot encode %T: %w", v, err)
	}
	return b, nil
}

// Split takes the method off the body of a request or notification.
func Split(body []byte) (Method, []byte, error) {
	if len(body) == 0 {
		return 0, nil, errors.New("message without a method")
	}
	return Method(body[0]), body[1:], nil
}

// Unmarshal decodes b, which must hold exactly one message, into v and checks
// its limits. Any error means that the peer broke the protocol.
func Unmarshal(b []byte, v Message) error {
	if err := decoder.Unmarshal(b, v); err != nil {
		return fmt.Errorf("cannot decode %T: %w", v, err)
	}
	if err := v.check(); err != nil {
		return fmt.Errorf("%T breaks a limit: %w", v, err)
	}
	return nil
}

// MarshalBirth encodes b for the birth pipe.
func MarshalBirth(b Birth) ([]byte, error) { return encoder.Marshal(b) }

// UnmarshalBirth decodes what the birth pipe held.
func UnmarshalBirth(p []byte) (Birth, error) {
	var b Birth
	if len(p) > MaxBirth {
		return b, fmt.Errorf("birth record of %d bytes: the limit is %d", len(p), MaxBirth)
	}
	if err := decoder.Unmarshal(p, &b); err != nil {
		return b, fmt.Errorf("cannot decode the birth record: %w", err)
	}
	if b.Version != Version {
		return b, fmt.Errorf("birth record of version %d, this worker speaks %d", b.Version, Version)
	}
	if !b.Instance.Valid() {
		return b, fmt.Errorf("birth record with instance %.40q", string(b.Instance))
	}
	return b, nil
}

// text refuses strings that are too long. CBOR decoding has refused invalid
// UTF-8; this covers what we are about to send.
func text(member, s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%s of %d bytes: the limit is %d", member, len(s), limit)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not UTF-8", member)
	}
	return nil
}

func size(member string, n, limit int) error {
	if n > limit {
		return fmt.Errorf("%s of size %d: the limit is %d", member, n, limit)
	}
	return nil
}
