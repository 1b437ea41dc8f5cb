package js

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"unsafe"

	"modernc.org/libc"
)

// gcmTag is the length of a tag of AES-GCM that was not shortened, in bytes.
const gcmTag = 16

// gcm is AES-GCM for a message of buffer in place, which package cipher wants
// to lie apart from the additional data.
func (in *inputs) gcm(key, iv, additional, buffer []byte) cipher.AEAD {
	if overlap(additional, buffer) {
		in.fail("the additional data lies in the buffer")
	}
	if in.failed {
		return nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		in.fail(err.Error())
		return nil
	}
	aead, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		in.fail(err.Error())
	}
	return aead
}

func overlap(a, b []byte) bool {
	p, q := uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return len(a) > 0 && len(b) > 0 && p < q+uintptr(len(b)) && q < p+uintptr(len(a))
}

func nativeSeal(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	key, iv, additional, buffer := in.bytes(0), in.bytes(1), in.bytes(2), in.bytes(3)
	aead := in.gcm(key, iv, additional, buffer)
	if !in.failed && len(buffer) < gcmTag {
		in.fail("the buffer has no room for the tag")
	}
	if in.failed {
		return thrown
	}
	aead.Seal(buffer[:0], iv, buffer[:len(buffer)-gcmTag], additional)
	return undefined
}

func nativeOpen(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	key, iv, additional, buffer, tag := in.bytes(0), in.bytes(1), in.bytes(2), in.bytes(3), in.number(4, gcmTag)
	aead := in.gcm(key, iv, additional, buffer)
	if in.failed {
		return thrown
	}
	if len(buffer) < int(tag) {
		return boolean(false)
	}
	if tag == gcmTag {
		_, err := aead.Open(buffer[:0], iv, buffer, additional)
		return boolean(err == nil)
	}
	return boolean(openShort(aead, iv, additional, buffer, int(tag)))
}

// openShort opens what has only the first bytes of its tag (NIST SP 800-38D,
// section 5.2.1.2), which package cipher does not. Encryption being an XOR,
// sealing the ciphertext gives the plaintext, and sealing that gives the tag.
func openShort(aead cipher.AEAD, iv, additional, buffer []byte, tag int) bool {
	text, want := buffer[:len(buffer)-tag], buffer[len(buffer)-tag:]
	plain := aead.Seal(nil, iv, text, nil)[:len(text)]
	sealed := aead.Seal(nil, iv, plain, additional)
	if subtle.ConstantTimeCompare(sealed[len(text):][:tag], want) != 1 {
		return false
	}
	copy(text, plain)
	return true
}
