package terraform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// list takes note that the plan has the record's resource at index i of its
// section, and refuses one that it has twice.
func (x *examiner) list(i int) error {
	key := x.record.Key()
	hash := maphash.String(x.seed, string(key.Origin)+" "+key.Address)
	if first, twice := x.listed[hash]; twice {
		return flawed(fmt.Sprintf("is the same resource as number %d before it", first))
	}
	x.listed[hash] = int32(i)
	return nil
}

// sight keeps of the record what is needed to reconcile it.
func (x *examiner) sight() {
	s := drift.Sighting{Key: x.record.Key(), PreviousAddress: x.record.PreviousAddress, Fingerprint: x.record.Fingerprint}
	if x.record.OnlyNoise() {
		x.noise = append(x.noise, s)
	} else {
		x.drifts = append(x.drifts, s)
	}
}

// snapshot is what was found, without the report. From here on every secret of
// the plan is known.
func (x *examiner) snapshot() *drift.Snapshot {
	for _, sightings := range [...][]drift.Sighting{x.drifts, x.noise} {
		for i := range sightings {
			s := &sightings[i]
			s.Key.Address = x.addresses.mask(s.Key.Address)
			s.PreviousAddress = x.addresses.mask(s.PreviousAddress)
		}
	}
	return &drift.Snapshot{
		Drifts:    x.drifts,
		Noise:     x.noise,
		EachDrift: x.each(isNews),
		EachNoise: x.each(isNoise),
		Close:     x.spool.Close,
	}
}

// What a spooled record is about.
const (
	isNews byte = iota
	isNoise
)

// each makes the function that hands out the resources of one kind.
func (x *examiner) each(kind byte) func(want func(n int) bool) iter.Seq2[*drift.Resource, error] {
	spooled, secrets, addresses := x.spool, x.secrets, x.addresses
	return func(want func(n int) bool) iter.Seq2[*drift.Resource, error] {
		return func(yield func(*drift.Resource, error) bool) {
			n := -1
			wanted := func(k byte) bool {
				if k != kind {
					return false
				}
				n++
				return want == nil || want(n)
			}
			mask := masker{secrets: redact.NewMasker(secrets), addresses: addresses}
			var r record
			for encoded, err := range spooled.Records(wanted) {
				if err != nil {
					yield(nil, err)
					return
				}
				r.decode(encoded)
				mask.record(&r)
				if !yield(&r.Resource, nil) {
					return
				}
			}
		}
	}
}

// masker hides in a record the secrets that were found after it was read.
type masker struct {
	secrets   *redact.Masker
	addresses addressMask
}

func (m *masker) record(r *record) {
	r.Address = m.addresses.mask(r.Address)
	r.PreviousAddress = m.addresses.mask(r.PreviousAddress)
	if m.secrets.Holds(r.contents) {
		r.hideValue(r.CloudID)
		r.CloudID = ""
	}
	if m.secrets.Holds(r.CloudID) {
		r.CloudID = ""
	}
	if m.secrets.Holds(r.Region) {
		r.Region = ""
	}
	if m.secrets.Holds(r.Account) {
		r.Account = ""
	}
	var hidden []string
	for _, changes := range [...][]drift.Change{r.News, r.Noise} {
		for i := range changes {
			c := &changes[i]
			was := c.Sensitive()
			c.Path = m.secrets.Path(c.Path)
			c.Before, c.After = m.secrets.Value(c.Before), m.secrets.Value(c.After)
			if c.Sensitive() && !was {
				hidden = append(hidden, attributeOf(c.Path))
			}
		}
	}
	if len(hidden) > 0 {
		r.hideDigestsOf(hidden)
	}
}

// addressMask hides secrets in addresses. An address stays unique: what was
// hidden is replaced by a keyed hash of the whole.
type addressMask struct {
	secrets *redact.Secrets
	key     []byte
}

func (a addressMask) mask(address string) string {
	if a.secrets.Address(address, "") == address {
		return address
	}
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte("address\x00" + address))
	hash := hex.EncodeToString(mac.Sum(nil)[:4])
	return a.secrets.Address(address, strings.TrimSuffix(drift.HiddenText, ")")+" "+hash+")")
}
