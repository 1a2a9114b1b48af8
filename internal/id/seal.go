package id

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

const (
	sealMAC  = aes.BlockSize
	sealSalt = 8
	idBytes  = 8
)

// sealer keeps ids from those who carry them. It is a synthetic-IV construction (RFC 5297 with HMAC in the place of
// CMAC): a nonce that comes twice, as random ones of many events would, shows no more than that texts are equal.
type sealer struct {
	macKey []byte
	block  cipher.Block
}

func newSealer(key []byte) (*sealer, error) {
	keys, err := hkdf.Key(sha256.New, key, nil, "callboard sealed ids", 2*KeyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the key of sealed ids: %w", err)
	}
	block, err := aes.NewCipher(keys[KeyBytes:])
	if err != nil {
		return nil, fmt.Errorf("derive the key of sealed ids: %w", err)
	}
	return &sealer{keys[:KeyBytes], block}, nil
}

func (s *sealer) mac(plain []byte) []byte {
	h := hmac.New(sha256.New, s.macKey)
	h.Write(plain)
	return h.Sum(nil)[:sealMAC]
}

// Seal gives a text of which only this installation reads ids, none for example, and which differs every time: for ids
// that a client keeps and must not learn, since they tell of others' rows and times.
func (c *Codec) Seal(ids []ID) string {
	plain := make([]byte, sealSalt, sealSalt+idBytes*len(ids))
	_, _ = rand.Read(plain) // never fails
	for _, i := range ids {
		plain = binary.BigEndian.AppendUint64(plain, uint64(i))
	}
	mac := c.sealer.mac(plain)
	cipher.NewCTR(c.sealer.block, mac).XORKeyStream(plain, plain)
	return base64.RawURLEncoding.EncodeToString(append(mac, plain...))
}

// Unseal reads what Seal gave. It reports false for any other text.
func (c *Codec) Unseal(text string) ([]ID, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < sealMAC+sealSalt || (len(raw)-sealMAC-sealSalt)%idBytes != 0 {
		return nil, false
	}
	mac, plain := raw[:sealMAC], raw[sealMAC:]
	cipher.NewCTR(c.sealer.block, mac).XORKeyStream(plain, plain)
	if subtle.ConstantTimeCompare(c.sealer.mac(plain), mac) != 1 {
		return nil, false
	}
	ids := make([]ID, 0, len(plain)/idBytes)
	for rest := plain[sealSalt:]; len(rest) > 0; rest = rest[idBytes:] {
		ids = append(ids, ID(binary.BigEndian.Uint64(rest)))
	}
	return ids, true
}
