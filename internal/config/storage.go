package config

import "time"

// S3 is how S3-compatible stores are reached, for buckets whose URL is s3://.
type S3 struct {
	Endpoint        string `env:"ENDPOINT" doc:"Host, or host:port, of the store; empty: Amazon's."`
	Region          string `env:"REGION" doc:"Region of the buckets."`
	PathStyle       bool   `env:"PATH_STYLE" envDefault:"false" doc:"Name the bucket in the path and not in the host, as most stores beside Amazon's want it."`
	Plain           bool   `env:"PLAIN" envDefault:"false" doc:"Speak http instead of https."`
	CAFile          string `env:"CA_FILE" doc:"Certificates in PEM that the store's must come from; empty: the system's."`
	AccessKey       string `env:"ACCESS_KEY" secret:"true" doc:"Access key; with SECRET_KEY."`
	SecretKey       string `env:"SECRET_KEY" secret:"true" doc:"Secret key."`
	CredentialsFile string `env:"CREDENTIALS_FILE" doc:"File with the keys in the form of ~/.aws/credentials, profile default. Without it and without keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then the role of the machine."`
}

// Landing is the zone where every admitted message is kept as Parquet.
type Landing struct {
	Enabled   bool          `env:"ENABLED" envDefault:"true" doc:"Keep every admitted message in the landing zone; the same in all processes. See docs/landing.md."`
	URL       string        `env:"URL" secret:"true" doc:"Bucket of the landing zone, file:///directory or s3://bucket/prefix; empty: the directory landing in the data directory. Workers and jobs must see the same."`
	FileBytes int           `env:"FILE_BYTES" envDefault:"8388608" doc:"Bytes of messages after which the files of a partition are closed; a worker holds about twice as much of each partition in memory when it lags."`
	FileAge   time.Duration `env:"FILE_AGE" envDefault:"5m" doc:"How long a message waits at most for its file to be closed; the log keeps it so long."`
	Keep      time.Duration `env:"KEEP" envDefault:"8760h" doc:"How long days of the landing zone are kept; 0: for ever."`
	// Processes of a release before this one do not read files that were put together.
	CompactAfter time.Duration `env:"COMPACT_AFTER" envDefault:"1h" doc:"How long after its end the files of an hour are put together; 0: never."`
}
