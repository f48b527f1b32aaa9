package postgres

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// How soon we notice that the other side is gone.
const (
	connectTimeout = 5 * time.Second
	// deadPeer is for a peer whose network is gone, keepalives or unanswered
	// data alike. One that hangs while its kernel still answers is noticed by
	// the deadline of the query's context alone.
	deadPeer     = 20 * time.Second
	pingTimeout  = 5 * time.Second
	connLifetime = time.Hour
)

var errBadURL = errors.New("the database URL is neither a postgres:// URL nor a list of key=value settings that PostgreSQL knows")

// poolConfig reads url and adds what we want unless url says otherwise.
func poolConfig(url string) (*pgxpool.Config, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The reason may quote the password.
		return nil, errBadURL
	}
	tune(conf.ConnConfig)
	conf.PingTimeout = pingTimeout
	conf.MaxConnLifetime = connLifetime
	// Not all replicas and connections at the same moment.
	conf.MaxConnLifetimeJitter = connLifetime / 10
	return conf, nil
}

// connConfig is poolConfig for a single connection.
func connConfig(url string) (*pgx.ConnConfig, error) {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errBadURL
	}
	tune(conf)
	return conf, nil
}

// Password is the password in a URL or DSN, for whoever must keep it out of
// what they write; empty when there is none or url makes no sense.
func Password(url string) string {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return ""
	}
	return conf.Password
}

// Address is where a URL or DSN leads, for whoever names the database in what
// they write: the first host of several, the folder of a unix socket. All are
// empty when url makes no sense.
func Address(url string) (host string, port int, database string) {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return "", 0, ""
	}
	return conf.Host, int(conf.Port), conf.Database
}

func tune(conf *pgx.ConnConfig) {
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = connectTimeout
	}
	// Only settings that PgBouncer passes on; others it refuses.
	for name, value := range map[string]string{"application_name": "driftsentry", "timezone": "UTC"} {
		if _, ok := conf.RuntimeParams[name]; !ok {
			conf.RuntimeParams[name] = value
		}
	}
	conf.DialFunc = dialer(conf.ConnectTimeout)
}

func dialer(timeout time.Duration) pgconn.DialFunc {
	d := &net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: deadPeer / 2, Interval: deadPeer / 8, Count: 4},
		ControlContext:  giveUpOnSilence,
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return d.DialContext(ctx, network, addr)
	}
}
