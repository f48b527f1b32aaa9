package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// OpenDrifts returns every open drift of the stack, in no particular order.
// It takes some 150 bytes for each.
func (tx *Tx) OpenDrifts(ctx context.Context, stack *Stack) ([]drift.Standing, error) {
	var count int
	err := tx.tx.QueryRow(ctx, `-- name: CountOpenDrifts
		SELECT coalesce(sum(drifts), 0)::bigint FROM drift_counts WHERE stack_id = $1 AND bucket < $2`,
		stack.ID, int16(firstResolved)).Scan(&count)
	if err != nil {
		return nil, classify(fmt.Errorf("count open drifts: %w", err))
	}
	if count == 0 {
		return nil, nil
	}
	rows, err := tx.tx.Query(ctx, `-- name: OpenDrifts
		SELECT id, origin, address, status, fingerprint,
			coalesce(floor(extract(epoch FROM quiet_until)), 0)::bigint
		FROM drifts WHERE stack_id = $1 AND status <> 'resolved'`, stack.ID)
	if err != nil {
		return nil, classify(fmt.Errorf("open drifts: %w", err))
	}
	open, err := readStanding(rows, count)
	if err != nil {
		return nil, classify(fmt.Errorf("open drifts: %w", err))
	}
	return open, nil
}

// readStanding decodes rows without scanning them one value at a time: for a
// hundred thousand that is most of the time and nearly all of the memory.
func readStanding(rows pgx.Rows, count int) ([]drift.Standing, error) {
	defer rows.Close()
	open := make([]drift.Standing, 0, count)
	var addresses arena
	for rows.Next() {
		v := rows.RawValues()
		var s drift.Standing
		s.Key.Origin = drift.Origins()[originIndex(drift.Origin(v[1]))]
		s.Key.Address = addresses.keep(v[2])
		if copy(s.ID[:], v[0]) != len(s.ID) || copy(s.Fingerprint[:], v[4]) != len(s.Fingerprint) || len(v[5]) != 8 {
			return nil, errors.New("a row of drifts is not in the binary format")
		}
		for _, status := range drift.Statuses() {
			if string(v[3]) == string(status) {
				s.Status = status
			}
		}
		s.QuietUntil = int64(binary.BigEndian.Uint64(v[5]))
		open = append(open, s)
	}
	return open, rows.Err()
}

// arena keeps many small strings in few large pieces of memory.
type arena struct{ piece strings.Builder }

const arenaPiece = 64 << 10

func (a *arena) keep(text []byte) string {
	if a.piece.Cap()-a.piece.Len() < len(text) {
		a.piece = strings.Builder{}
		a.piece.Grow(max(arenaPiece, len(text)))
	}
	start := a.piece.Len()
	a.piece.Write(text)
	return a.piece.String()[start:]
}
