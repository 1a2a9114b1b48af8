package signature_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/callboard/callboard/signature"
)

// A sender signs, a consumer verifies.
func Example() {
	secret := signature.GenerateSecret()
	body := []byte(`{"type":"session.joined","timestamp":"2026-05-04T10:00:00.000Z","data":{}}`)

	signer, err := signature.NewSigner(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := make(http.Header)
	signer.SetHeaders(header, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", time.Now(), body)

	verifier, err := signature.NewVerifier([]signature.VerifyKey{secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	verified, err := verifier.Verify(header, body)
	fmt.Println(verified.ID, err)

	_, err = verifier.Verify(header, append(body, ' '))
	fmt.Println(errors.Is(err, signature.ErrNoMatch), err)
	// Output:
	// msg_2KWPBgLlAfxdpx2AI54pPJ85f4W <nil>
	// true signature: no signature matches
}

// While a secret is rotated, a sender signs with both.
func ExampleNewSigner_rotation() {
	oldSecret, newSecret := signature.GenerateSecret(), signature.GenerateSecret()
	signer, err := signature.NewSigner(newSecret, oldSecret)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := make(http.Header)
	signer.SetHeaders(header, "msg_1", time.Now(), []byte("{}"))

	for _, known := range []signature.Secret{oldSecret, newSecret} {
		verifier, err := signature.NewVerifier([]signature.VerifyKey{known})
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = verifier.Verify(header, []byte("{}"))
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// <nil>
}

// With v1a the consumer needs no secret.
func ExampleSigningKey_Public() {
	key := signature.GenerateSigningKey()
	signer, err := signature.NewSigner(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := make(http.Header)
	signer.SetHeaders(header, "msg_1", time.Now(), []byte("{}"))

	verifier, err := signature.NewVerifier([]signature.VerifyKey{key.Public()})
	if err != nil {
		fmt.Println(err)
		return
	}
	verified, err := verifier.Verify(header, []byte("{}"))
	fmt.Println(verified.ID, err)
	// Output: msg_1 <nil>
}

// A secret prints as [redacted]; Reveal is the way to its text.
func ExampleSecret() {
	secret, err := signature.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(secret)
	fmt.Println(secret.Reveal())
	// Output:
	// [redacted]
	// whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
}

// A dispatcher signs into a buffer that it keeps.
func ExampleSigner_Append() {
	secret, err := signature.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := signature.NewSigner(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	buffer := make([]byte, 0, 64)
	buffer = signer.Append(buffer[:0], "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	fmt.Println(string(buffer))
	// Output: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=
}
