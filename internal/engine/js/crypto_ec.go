package js

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"modernc.org/libc"
)

// curves are by their names in Web Cryptography, section 23.
var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func (in *inputs) curve(i int) elliptic.Curve {
	c, ok := curves[in.text(i)]
	if !ok {
		in.fail("there is no such curve")
	}
	return c
}

func (in *inputs) scalar(c elliptic.Curve, i int) *ecdsa.PrivateKey {
	b := in.bytes(i)
	if in.failed {
		return nil
	}
	key, err := ecdsa.ParseRawPrivateKey(c, b)
	if err != nil {
		in.fail(err.Error())
	}
	return key
}

// scalarBytes is the length of a coordinate, and of r and s. That of the order
// is the same for each of these curves.
func scalarBytes(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }

func nativeEcPublic(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	c, scalar := in.curve(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	point, ok := publicPoint(c, scalar)
	return in.bytesOr(point, ok)
}

func publicPoint(c elliptic.Curve, scalar []byte) ([]byte, bool) {
	key, err := ecdsa.ParseRawPrivateKey(c, scalar)
	if err != nil {
		return nil, false
	}
	point, err := key.PublicKey.Bytes()
	return point, err == nil
}

func nativeEcPoint(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	c, point := in.curve(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	_, err := ecdsa.ParseUncompressedPublicKey(c, point)
	return boolean(err == nil)
}

func nativeEcSign(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	c := in.curve(0)
	key, h, data := in.scalar(c, 1), in.hash(2), in.bytes(3)
	if in.failed {
		return thrown
	}
	signature, err := signEC(key, h, data)
	if err != nil {
		in.fail(err.Error())
		return thrown
	}
	return in.e.newBytes(signature)
}

// signEC returns r and s, one after the other. They are deterministic, by
// RFC 6979: a restored image can sign without new random numbers.
func signEC(key *ecdsa.PrivateKey, h crypto.Hash, data []byte) ([]byte, error) {
	der, err := key.Sign(nil, digest(h, data), h)
	if err != nil {
		return nil, err
	}
	var r, s big.Int
	in := cryptobyte.String(der)
	in.ReadASN1(&in, asn1.SEQUENCE)
	in.ReadASN1Integer(&r)
	in.ReadASN1Integer(&s)
	n := scalarBytes(key.Curve)
	out := make([]byte, 2*n)
	r.FillBytes(out[:n])
	s.FillBytes(out[n:])
	return out, nil
}

func nativeEcVerify(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	c, point, h, data, signature := in.curve(0), in.bytes(1), in.hash(2), in.bytes(3), in.bytes(4)
	if in.failed {
		return thrown
	}
	key, err := ecdsa.ParseUncompressedPublicKey(c, point)
	n := scalarBytes(c)
	if err != nil || len(signature) != 2*n {
		return boolean(false)
	}
	r, s := new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:])
	return boolean(ecdsa.Verify(key, digest(h, data), r, s))
}
