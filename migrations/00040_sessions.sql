-- +goose Up

-- Who holds a session: each link of its chain of refresh tokens says which client it
-- was given to. The client of the newest link is where the session was used last.
ALTER TABLE "refresh_tokens" ADD COLUMN "address" text NULL,
  ADD COLUMN "user_agent" text NULL,
  ADD CONSTRAINT "refresh_tokens_address_length" CHECK (char_length(address) <= 45),
  ADD CONSTRAINT "refresh_tokens_user_agent_length" CHECK (char_length(user_agent) <= 300);

-- +goose Down
ALTER TABLE "refresh_tokens" DROP COLUMN "user_agent", DROP COLUMN "address";
