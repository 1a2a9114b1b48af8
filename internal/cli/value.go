package cli

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/callboard/callboard/internal/token"
)

// span is a duration of a flag. Beside Go's units it knows d (24 hours) and y (365 days), largest first: 10y, 30d, 1d12h.
type span time.Duration

var errSpan = errors.New("must be a duration such as 5s, 30m, 12h, 30d or 10y")

// UnmarshalText reads a span. Negative ones are refused: no flag means one.
func (s *span) UnmarshalText(text []byte) error {
	rest, total := string(text), time.Duration(0)
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"y", 365 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > uint64((math.MaxInt64-total)/unit.length) {
			return errSpan
		}
		total, rest = total+time.Duration(n)*unit.length, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > math.MaxInt64-total {
			return errSpan
		}
		total += d
	}
	if len(text) == 0 {
		return errSpan
	}
	*s = span(total)
	return nil
}

// network is a CIDR of a flag. A bare address stands for itself alone.
type network netip.Prefix

// UnmarshalText reads a network.
func (n *network) UnmarshalText(text []byte) error {
	if address, err := netip.ParseAddr(string(text)); err == nil && address.Zone() == "" {
		*n = network(netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is no network such as 10.0.0.0/8", text)
	}
	*n = network(prefix)
	return nil
}

// encryptionKey is 32 bytes, written in base64. It prints as [redacted].
type encryptionKey struct {
	text string
}

// String hides the key.
func (encryptionKey) String() string { return "[redacted]" }

// LogValue hides the key from slog.
func (encryptionKey) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// check is not part of reading the flag, because kong's error would quote what an environment variable holds.
func (k encryptionKey) check() error {
	if k.text == "" {
		return nil
	}
	if raw, err := base64.StdEncoding.DecodeString(k.text); err != nil || len(raw) != 32 {
		return errors.New("--encryption-key: must be 32 bytes in base64; make one with: openssl rand -base64 32")
	}
	return nil
}

// secretMapper reads secrets without looking at them, so that no error can quote one.
func secretMapper() kong.Option {
	read := func(set func(target reflect.Value, text string)) kong.MapperFunc {
		return func(ctx *kong.DecodeContext, target reflect.Value) error {
			var text string
			if err := ctx.Scan.PopValueInto("secret", &text); err != nil {
				return errors.New("needs a value") // kong's own would show what comes next
			}
			set(target, text)
			return nil
		}
	}
	return kong.OptionFunc(func(k *kong.Kong) error {
		for _, option := range []kong.Option{
			kong.TypeMapper(reflect.TypeFor[token.Secret](), read(func(target reflect.Value, text string) {
				target.Set(reflect.ValueOf(token.NewSecret(text)))
			})),
			kong.TypeMapper(reflect.TypeFor[encryptionKey](), read(func(target reflect.Value, text string) {
				target.Set(reflect.ValueOf(encryptionKey{text: text}))
			})),
			kong.TypeMapper(reflect.TypeFor[bearerToken](), read(func(target reflect.Value, text string) {
				target.Set(reflect.ValueOf(bearerToken{text: text}))
			})),
		} {
			if err := option.Apply(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// durations turns spans into what the rest of the program takes; none stay nil.
func durations(spans []span) []time.Duration {
	var out []time.Duration
	for _, s := range spans {
		out = append(out, time.Duration(s))
	}
	return out
}

func prefixes(networks []network) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range networks {
		out = append(out, netip.Prefix(n))
	}
	return out
}
