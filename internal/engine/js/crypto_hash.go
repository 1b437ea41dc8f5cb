package js

import (
	"crypto"
	"crypto/hmac"
	"crypto/subtle"
	"strings"

	// What hashes names.
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"

	"modernc.org/libc"
)

// hashes are by their names in Web Cryptography, section 30.
var hashes = map[string]crypto.Hash{
	"SHA-1": crypto.SHA1, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512,
}

func digest(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

func nativeDigest(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	h, data := in.hash(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	return in.e.newBytes(digest(h, data))
}

func nativeHmac(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	h, key, data := in.hash(0), in.bytes(1), in.bytes(2)
	if in.failed {
		return thrown
	}
	w := hmac.New(h.New, key)
	w.Write(data)
	return in.e.newBytes(w.Sum(nil))
}

func nativeEqual(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	a, b := in.bytes(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	return boolean(subtle.ConstantTimeCompare(a, b) == 1)
}

func nativeCryptoText(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	b := in.bytes(0)
	if in.failed {
		return thrown
	}
	return in.e.newString(strings.ToValidUTF8(string(b), "\ufffd"))
}
