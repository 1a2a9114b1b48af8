package signature_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/callboard/callboard/signature"
)

// TestAppendDoesNotAllocate guards what the dispatcher relies on.
func TestAppendDoesNotAllocate(t *testing.T) {
	signer := mustSigner(t, signature.GenerateSecret(), signature.GenerateSecret())
	dst, body, now := make([]byte, 0, 128), make([]byte, 1024), time.Now()
	allocs := testing.AllocsPerRun(100, func() {
		dst = signer.Append(dst[:0], vectorID, now, body)
	})
	if allocs != 0 {
		t.Errorf("Append allocates %v times, want 0", allocs)
	}
}

func BenchmarkAppend(b *testing.B) {
	now := time.Now()
	for _, size := range []int{256, 1024, 16 << 10} {
		body := bytes.Repeat([]byte("x"), size)
		for name, keys := range map[string][]signature.Key{
			"v1":       {signature.GenerateSecret()},
			"v1-twice": {signature.GenerateSecret(), signature.GenerateSecret()},
			"v1a":      {signature.GenerateSigningKey()},
		} {
			signer := mustSigner(b, keys...)
			b.Run(fmt.Sprintf("%s/%dB", name, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				dst := make([]byte, 0, 256)
				for b.Loop() {
					dst = signer.Append(dst[:0], vectorID, now, body)
				}
			})
		}
	}
}

// BenchmarkAppendParallel has all processors sign with one secret.
func BenchmarkAppendParallel(b *testing.B) {
	signer := mustSigner(b, signature.GenerateSecret())
	body, now := make([]byte, 1024), time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		dst := make([]byte, 0, 256)
		for pb.Next() {
			dst = signer.Append(dst[:0], vectorID, now, body)
		}
	})
}

// BenchmarkAppendFirst parses the secret each time, as a dispatcher that keeps
// no signers would.
func BenchmarkAppendFirst(b *testing.B) {
	text := signature.GenerateSecret().Reveal()
	body, now, dst := make([]byte, 1024), time.Now(), make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		dst = mustSigner(b, mustKey(b, text)).Append(dst[:0], vectorID, now, body)
	}
}

func BenchmarkVerify(b *testing.B) {
	body := make([]byte, 1024)
	for name, key := range map[string]signature.Key{
		"v1":  signature.GenerateSecret(),
		"v1a": signature.GenerateSigningKey(),
	} {
		header := make(http.Header)
		mustSigner(b, key).SetHeaders(header, vectorID, time.Now(), body)
		verifier := mustVerifier(b, []signature.VerifyKey{key})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(header, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
