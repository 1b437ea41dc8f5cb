package js

import (
	"bytes"
	"crypto/elliptic"
	encoding "encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"modernc.org/libc"
)

// Keys as DER: SubjectPublicKeyInfo (RFC 5280, section 4.1) and PrivateKeyInfo
// (RFC 5208; RFC 5958 adds a public key), with elliptic curves as in RFC 5480
// and RFC 5915, and Ed25519 as in RFC 8410. Package x509 does this too, and
// would bring half of Go's library into a worker.

// keyType says how the keys of an algorithm are told from others.
type keyType struct {
	algorithm encoding.ObjectIdentifier
	curve     elliptic.Curve // nil: Ed25519
	curveID   encoding.ObjectIdentifier
}

var ecPublicKey = encoding.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

var keyTypes = map[string]*keyType{
	"P-256":   {ecPublicKey, elliptic.P256(), encoding.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
	"P-384":   {ecPublicKey, elliptic.P384(), encoding.ObjectIdentifier{1, 3, 132, 0, 34}},
	"P-521":   {ecPublicKey, elliptic.P521(), encoding.ObjectIdentifier{1, 3, 132, 0, 35}},
	"Ed25519": {encoding.ObjectIdentifier{1, 3, 101, 112}, nil, nil},
}

func (in *inputs) keyType(i int) *keyType {
	t, ok := keyTypes[in.text(i)]
	if !ok {
		in.fail("there is no such type of key")
	}
	return t
}

// addAlgorithm writes an AlgorithmIdentifier.
func (t *keyType) addAlgorithm(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(t.algorithm)
		if t.curveID != nil {
			b.AddASN1ObjectIdentifier(t.curveID)
		}
	})
}

// readAlgorithm reports whether an AlgorithmIdentifier of t's comes next.
func (t *keyType) readAlgorithm(s *cryptobyte.String) bool {
	var id cryptobyte.String
	var algorithm, curve encoding.ObjectIdentifier
	if !s.ReadASN1(&id, asn1.SEQUENCE) || !id.ReadASN1ObjectIdentifier(&algorithm) || !algorithm.Equal(t.algorithm) {
		return false
	}
	if t.curveID != nil && (!id.ReadASN1ObjectIdentifier(&curve) || !curve.Equal(t.curveID)) {
		return false
	}
	return id.Empty()
}

// spki encodes a public key.
func (t *keyType) spki(public []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		t.addAlgorithm(b)
		b.AddASN1BitString(public)
	})
	return b.Bytes()
}

// parseSpki returns the bytes of a public key, which may still be no point.
func (t *keyType) parseSpki(der []byte) (public []byte, ok bool) {
	s := cryptobyte.String(der)
	var info cryptobyte.String
	ok = s.ReadASN1(&info, asn1.SEQUENCE) && s.Empty() && t.readAlgorithm(&info) &&
		info.ReadASN1BitStringAsBytes(&public) && info.Empty()
	return public, ok
}

// pkcs8 encodes a private key, of a curve together with its public key.
func (t *keyType) pkcs8(private, public []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		t.addAlgorithm(b)
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			if t.curve == nil {
				b.AddASN1OctetString(private)
				return
			}
			addECPrivateKey(b, private, public)
		})
	})
	return b.Bytes()
}

var (
	parametersTag = asn1.Tag(0).Constructed().ContextSpecific()
	publicKeyTag  = asn1.Tag(1).Constructed().ContextSpecific()
	attributesTag = asn1.Tag(0).Constructed().ContextSpecific()
	bareKeyTag    = asn1.Tag(1).ContextSpecific()
)

func addECPrivateKey(b *cryptobyte.Builder, private, public []byte) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1OctetString(private)
		b.AddASN1(publicKeyTag, func(b *cryptobyte.Builder) { b.AddASN1BitString(public) })
	})
}

// parsePkcs8 returns a private key. A curve's public key may come with it, and
// belongs to it then.
func (t *keyType) parsePkcs8(der []byte) (private []byte, ok bool) {
	s := cryptobyte.String(der)
	var info, key cryptobyte.String
	var version int64
	if !s.ReadASN1(&info, asn1.SEQUENCE) || !s.Empty() || !info.ReadASN1Integer(&version) ||
		version < 0 || version > 1 || !t.readAlgorithm(&info) || !info.ReadASN1(&key, asn1.OCTET_STRING) ||
		!info.SkipOptionalASN1(attributesTag) || version == 1 && !info.SkipOptionalASN1(bareKeyTag) || !info.Empty() {
		return nil, false
	}
	if t.curve == nil {
		ok = key.ReadASN1Bytes(&private, asn1.OCTET_STRING) && key.Empty() && len(private) == 32
		return private, ok
	}
	return t.parseECPrivateKey(key)
}

func (t *keyType) parseECPrivateKey(key cryptobyte.String) (private []byte, ok bool) {
	var fields cryptobyte.String
	var version int64
	if !key.ReadASN1(&fields, asn1.SEQUENCE) || !key.Empty() || !fields.ReadASN1Integer(&version) || version != 1 ||
		!fields.ReadASN1Bytes(&private, asn1.OCTET_STRING) || !t.readParameters(&fields) {
		return nil, false
	}
	public, ok := publicPoint(t.curve, private)
	return private, ok && readMatching(&fields, public) && fields.Empty()
}

// readParameters passes over the curve's name, which may be left out.
func (t *keyType) readParameters(s *cryptobyte.String) bool {
	var parameters cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&parameters, &present, parametersTag) || !present {
		return !present
	}
	var curve encoding.ObjectIdentifier
	return parameters.ReadASN1ObjectIdentifier(&curve) && parameters.Empty() && curve.Equal(t.curveID)
}

// readMatching passes over a public key that may be left out, and must be want
// if it is not.
func readMatching(s *cryptobyte.String, want []byte) bool {
	var field cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&field, &present, publicKeyTag) || !present {
		return !present
	}
	var public []byte
	return field.ReadASN1BitStringAsBytes(&public) && field.Empty() && bytes.Equal(public, want)
}

func nativeSpki(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	t, public := in.keyType(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	der, err := t.spki(public)
	return in.bytesOr(der, err == nil)
}

func nativeParseSpki(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	t, der := in.keyType(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	return in.bytesOr(t.parseSpki(der))
}

func nativePkcs8(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	t, private, public := in.keyType(0), in.bytes(1), in.bytes(2)
	if in.failed {
		return thrown
	}
	der, err := t.pkcs8(private, public)
	return in.bytesOr(der, err == nil)
}

func nativeParsePkcs8(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	in := inputsOf(argv)
	t, der := in.keyType(0), in.bytes(1)
	if in.failed {
		return thrown
	}
	return in.bytesOr(t.parsePkcs8(der))
}
