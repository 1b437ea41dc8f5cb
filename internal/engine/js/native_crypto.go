package js

import (
	"crypto"
	"math"

	lib "modernc.org/libquickjs"
)

// cryptoNatives are Web Cryptography's algorithms, by Go's standard library.
//
// They keep nothing: keys and data come as bytes and results go back as bytes,
// so whatever a program has of them lies in its heap, and in the heap's image.
// They draw no random numbers either: keys are made of what nativeRandom gave.
// Only the prelude calls them, with Uint8Arrays that no guest code has; what a
// guest may have got wrong is answered by undefined or false, and everything
// else throws.
var cryptoNatives = []nativeMember{
	{"cryptoDigest", 2, nativeDigest},   // (hash, data) → its digest
	{"cryptoHmac", 3, nativeHmac},       // (hash, key, data) → the code
	{"cryptoText", 1, nativeCryptoText}, // (UTF-8) → string
	{"cryptoEqual", 2, nativeEqual},     // (a, b) → whether they are, in constant time

	{"cryptoSeal", 4, nativeSeal}, // (key, iv, additional, buffer) seals all but the last 16 bytes of buffer, in place
	{"cryptoOpen", 5, nativeOpen}, // (key, iv, additional, buffer, tag length) opens buffer in place → whether it was genuine

	{"cryptoHkdf", 5, nativeHkdf},     // (hash, key, salt, info, length) → bytes, or undefined for too great a length
	{"cryptoPbkdf2", 5, nativePbkdf2}, // (hash, password, salt, iterations, buffer) fills buffer

	{"cryptoEcPublic", 2, nativeEcPublic}, // (curve, scalar) → the public point, or undefined if it is no private key
	{"cryptoEcPoint", 2, nativeEcPoint},   // (curve, point) → whether it is an uncompressed public key
	{"cryptoEcSign", 4, nativeEcSign},     // (curve, scalar, hash, data) → r and s
	{"cryptoEcVerify", 5, nativeEcVerify}, // (curve, point, hash, data, r and s) → boolean

	{"cryptoEdPublic", 1, nativeEdPublic}, // (seed) → the public key
	{"cryptoEdSign", 2, nativeEdSign},     // (seed, data) → the signature
	{"cryptoEdVerify", 3, nativeEdVerify}, // (public key, data, signature) → boolean

	{"cryptoSpki", 2, nativeSpki},             // (key type, public key) → DER
	{"cryptoParseSpki", 2, nativeParseSpki},   // (key type, DER) → public key, or undefined
	{"cryptoPkcs8", 3, nativePkcs8},           // (key type, private key, public key) → DER
	{"cryptoParsePkcs8", 2, nativeParsePkcs8}, // (key type, DER) → private key, or undefined
}

// inputs reads the arguments of a native one by one. After a first that is not
// what it should be an exception is pending and the rest are empty.
type inputs struct {
	e      *Engine
	argv   uintptr
	failed bool
}

func inputsOf(argv uintptr) *inputs { return &inputs{e: current.Load(), argv: argv} }

// bytes are in the guest's heap: see bytesOf.
func (in *inputs) bytes(i int) []byte {
	if in.failed {
		return nil
	}
	b, ok := in.e.bytesOf(argument(in.argv, i))
	in.failed = !ok
	return b
}

// sized are bytes of a fixed number.
func (in *inputs) sized(i, n int) []byte {
	b := in.bytes(i)
	if !in.failed && len(b) != n {
		in.fail("the key has a wrong length")
	}
	return b
}

const maxCryptoName = 16

func (in *inputs) text(i int) string {
	if in.failed {
		return ""
	}
	s, _, ok := in.e.text(argument(in.argv, i), maxCryptoName)
	in.failed = !ok
	return s
}

// number is an integer from 0 to most.
func (in *inputs) number(i int, most int64) int64 {
	if in.failed {
		return 0
	}
	p := in.e.tls.Alloc(8)
	defer in.e.tls.Free(8)
	if lib.XJS_ToFloat64(in.e.tls, in.e.ctx, p, argument(in.argv, i)) != 0 {
		in.failed = true
		return 0
	}
	f := *(*float64)(at(p))
	if f != math.Trunc(f) || f < 0 || f > float64(most) {
		in.fail("the number is out of range")
		return 0
	}
	return int64(f)
}

// hash is SHA-1 when the argument is none.
func (in *inputs) hash(i int) crypto.Hash {
	h, ok := hashes[in.text(i)]
	if !ok {
		in.fail("there is no such hash")
		return crypto.SHA1
	}
	return h
}

func (in *inputs) fail(message string) {
	if !in.failed {
		in.e.throwType("crypto: " + message)
		in.failed = true
	}
}

// bytesOr returns b, or undefined when it is not there.
func (in *inputs) bytesOr(b []byte, ok bool) value {
	if !ok {
		return undefined
	}
	return in.e.newBytes(b)
}

// stopped reports whether the turn's time is up, with the exception pending
// that guest code cannot catch. What takes long asks now and then.
func (e *Engine) stopped() bool {
	e.watch.look()
	if !e.watch.over(e) {
		return false
	}
	e.throwType("the program's time is up")
	lib.XJS_SetUncatchableException(e.tls, e.ctx, 1)
	return true
}
