package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// ReplaceNoise makes sightings, each of a resource with noise alone, the noise
// of the stack. Only those whose fingerprint is not the stored one are asked
// of each and written; what the report does not show is removed where the scan
// covers its origin.
func (tx *Tx) ReplaceNoise(
	ctx context.Context, up *Upload, sightings []drift.Sighting, each func(want func(n int) bool) iter.Seq2[*drift.Resource, error],
) error {
	stored, err := tx.noisePrints(ctx, up.Stack.ID)
	if err != nil {
		return err
	}
	fresh := make([]bool, len(sightings))
	for n := range sightings {
		was, found := stored[sightings[n].Key]
		fresh[n] = !found || was != sightings[n].Fingerprint
		delete(stored, sightings[n].Key)
	}
	var batch noiseRows
	for r, err := range each(func(n int) bool { return fresh[n] }) {
		if err != nil {
			return err
		}
		batch.add(r)
		if batch.full() {
			if err := tx.writeNoise(ctx, up, &batch); err != nil {
				return err
			}
		}
	}
	if err := tx.writeNoise(ctx, up, &batch); err != nil {
		return err
	}
	return tx.deleteNoise(ctx, up, stored)
}

func (tx *Tx) noisePrints(ctx context.Context, stack uuid.UUID) (map[drift.Key]drift.Fingerprint, error) {
	rows, err := tx.tx.Query(ctx, `-- name: NoisePrints
		SELECT origin, address, fingerprint FROM noise WHERE stack_id = $1`, stack)
	if err != nil {
		return nil, classify(fmt.Errorf("noise of the stack: %w", err))
	}
	defer rows.Close()
	prints := make(map[drift.Key]drift.Fingerprint)
	var addresses arena
	for rows.Next() {
		v := rows.RawValues()
		k := drift.Key{Origin: drift.Origins()[originIndex(drift.Origin(v[0]))], Address: addresses.keep(v[1])}
		var p drift.Fingerprint
		copy(p[:], v[2])
		prints[k] = p
	}
	if err := rows.Err(); err != nil {
		return nil, classify(fmt.Errorf("noise of the stack: %w", err))
	}
	return prints, nil
}

// noiseRows is one statement's worth of noise, a slice per column.
type noiseRows struct {
	origins, addresses, types, changes []string
	prints                             [][]byte
	bytes                              int
}

func (b *noiseRows) full() bool { return len(b.origins) == chunk || b.bytes >= maxUpdateBytes }

func (b *noiseRows) add(r *drift.Resource) {
	changes := string(drift.AppendChanges(nil, r.Noise))
	b.origins = append(b.origins, string(r.Origin))
	b.addresses = append(b.addresses, strings.Clone(r.Address))
	b.types = append(b.types, strings.Clone(r.Type))
	b.changes = append(b.changes, changes)
	b.prints = append(b.prints, slices.Clone(r.Fingerprint[:]))
	b.bytes += len(changes)
}

// writeNoise writes the batch and empties it.
func (tx *Tx) writeNoise(ctx context.Context, up *Upload, b *noiseRows) error {
	if len(b.origins) == 0 {
		return nil
	}
	_, err := tx.tx.Exec(ctx, `-- name: WriteNoise
		INSERT INTO noise (stack_id, origin, address, type, changes, fingerprint, scan_id, first_seen_at, changed_at)
		SELECT $1, origin, address, type, changes::json, fingerprint, $2, $3, $3
		FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
			AS w (origin, address, type, changes, fingerprint)
		ON CONFLICT (stack_id, address, origin) DO UPDATE SET type = excluded.type, changes = excluded.changes,
			fingerprint = excluded.fingerprint, scan_id = excluded.scan_id, changed_at = excluded.changed_at`,
		up.Stack.ID, up.Scan.ID, up.at(), b.origins, b.addresses, b.types, b.changes, b.prints)
	if err != nil {
		return classify(fmt.Errorf("write noise: %w", err))
	}
	*b = noiseRows{}
	return nil
}

// deleteNoise removes what is left of the stored noise where the scan's
// silence means that it is gone.
func (tx *Tx) deleteNoise(ctx context.Context, up *Upload, gone map[drift.Key]drift.Fingerprint) error {
	var origins, addresses []string
	for k := range gone {
		if up.Scan.Covers(k.Origin) {
			origins, addresses = append(origins, string(k.Origin)), append(addresses, k.Address)
		}
	}
	for i := 0; i < len(origins); i += chunk {
		end := min(i+chunk, len(origins))
		_, err := tx.tx.Exec(ctx, `-- name: DeleteNoise
			DELETE FROM noise n USING unnest($2::text[], $3::text[]) AS w (origin, address)
			WHERE n.stack_id = $1 AND n.origin = w.origin AND n.address = w.address`,
			up.Stack.ID, origins[i:end], addresses[i:end])
		if err != nil {
			return classify(fmt.Errorf("delete noise: %w", err))
		}
	}
	return nil
}
