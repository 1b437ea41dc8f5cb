package conformance

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// required is what a program may count on: the Minimum Common Web Platform API
// (ECMA-429, section "Common API Index"), its interfaces and its global
// methods and properties, and what the project promises beyond it.
var required = []string{
	// Interfaces.
	"AbortController", "AbortSignal", "Blob", "ByteLengthQueuingStrategy",
	"CompressionStream", "CountQueuingStrategy", "Crypto", "CryptoKey",
	"DecompressionStream", "DOMException", "ErrorEvent", "Event", "EventTarget",
	"File", "FormData", "Headers", "PromiseRejectionEvent",
	"ReadableByteStreamController", "ReadableStream", "ReadableStreamBYOBReader",
	"ReadableStreamBYOBRequest", "ReadableStreamDefaultController",
	"ReadableStreamDefaultReader", "Request", "Response", "SubtleCrypto",
	"TextDecoder", "TextDecoderStream", "TextEncoder", "TextEncoderStream",
	"TransformStream", "TransformStreamDefaultController", "URL", "URLPattern",
	"URLSearchParams", "WritableStream", "WritableStreamDefaultController",
	"WritableStreamDefaultWriter", "WebAssembly.Global", "WebAssembly.Instance",
	"WebAssembly.Memory", "WebAssembly.Module", "WebAssembly.Table",

	// Global methods and properties.
	"globalThis", "self", "atob", "btoa", "clearInterval", "clearTimeout",
	"console", "crypto.getRandomValues", "crypto.randomUUID", "crypto.subtle",
	"fetch", "navigator.userAgent", "onerror", "onrejectionhandled",
	"onunhandledrejection", "performance.now", "performance.timeOrigin",
	"queueMicrotask", "reportError", "setInterval", "setTimeout",
	"structuredClone", "WebAssembly.compile", "WebAssembly.compileStreaming",
	"WebAssembly.instantiate", "WebAssembly.instantiateStreaming",
	"WebAssembly.validate",

	// Beyond that list.
	"CustomEvent", "Intl.DateTimeFormat", "Intl.NumberFormat", "MessageEvent",
	"SubtleCrypto.digest", "HMAC", "AES-GCM", "ECDSA", "Ed25519", "HKDF", "PBKDF2",
	"mp", "mp.page", "mp.request",
}

const document = "../../docs/web-platform.md"

// rows maps the APIs that the document's tables have rows for to whether they
// are lacking altogether. A row begins with their names in code spans.
func rows(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	m := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, name := range code.FindAllStringSubmatch(cells[1], -1) {
			m[name[1]] = strings.TrimSpace(cells[2]) == "lacking"
		}
	}
	return m
}

// checked are the APIs that there are checks for.
func checked(t *testing.T) map[string]bool {
	t.Helper()
	api := regexp.MustCompile(`(?m)^\s*api\("([^"]+)"`)
	m := map[string]bool{}
	for _, name := range modules(t) {
		b, err := os.ReadFile("checks/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range api.FindAllStringSubmatch(string(b), -1) {
			m[found[1]] = true
		}
	}
	return m
}

// TestNothingIsMissing holds that the document has a row for each API that is
// required or checked, and that what it does not call lacking is checked.
func TestNothingIsMissing(t *testing.T) {
	told, tried := rows(t), checked(t)
	for _, name := range required {
		if _, ok := told[name]; !ok {
			t.Errorf("%s has no row for %s", document, name)
		} else if !told[name] && !tried[name] {
			t.Errorf("there is no check of %s, and %s does not call it lacking", name, document)
		}
	}
	for _, name := range sorted(tried) {
		if lacking, ok := told[name]; !ok || lacking {
			t.Errorf("%s is checked, and %s does not say where it comes from", name, document)
		}
	}
}
