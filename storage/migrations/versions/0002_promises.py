"""Triggers that keep the contract, whoever writes: the daemon, or a person with plain SQL.

A rule that must hold for both stands here and nowhere else: what a row's status may become, when
a campaign begins and ends, what `sent` writes on the lead, and which posts a change makes stale.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_UPDATED = """
CREATE TRIGGER {table}_updated AFTER UPDATE ON {table}
WHEN NEW.updated_at IS OLD.updated_at
BEGIN
    UPDATE {table} SET updated_at = datetime('now') WHERE rowid = NEW.rowid;
END
"""

# --- what a status may become -------------------------------------------------------------------

_STATUS_GUARD = """
CREATE TRIGGER whatsapp_queue_status_guard BEFORE UPDATE OF status ON whatsapp_queue
WHEN NEW.status <> OLD.status
BEGIN
    SELECT RAISE(ABORT, 'a sent message stays sent') WHERE OLD.status = 'sent';
    SELECT RAISE(ABORT, 'the message is being sent just now: wait for its outcome')
        WHERE OLD.status = 'sending' AND NEW.claim IS NOT NULL;
    SELECT RAISE(ABORT, 'only the daemon sends: set the status to pending')
        WHERE NEW.status = 'sending' AND NEW.claim IS NULL;
    SELECT RAISE(ABORT, 'a message cannot go from this status to that one')
        WHERE OLD.status || '>' || NEW.status NOT IN (
            'pending>sending', 'pending>cancelled', 'pending>failed',
            'sending>sent', 'sending>failed', 'sending>unknown', 'sending>pending',
            'failed>pending', 'unknown>pending', 'cancelled>pending',
            'unknown>sent', 'failed>cancelled', 'unknown>cancelled'
        );
END
"""
_INSERT_GUARD = """
CREATE TRIGGER whatsapp_queue_insert_guard BEFORE INSERT ON whatsapp_queue
BEGIN
    SELECT RAISE(ABORT, 'only the daemon sends: insert the message as pending')
        WHERE NEW.status = 'sending';
    SELECT RAISE(ABORT, 'there is no lead of that id')
        WHERE NOT EXISTS (SELECT 1 FROM leads WHERE id = NEW.lead_id);
END
"""

# --- what an INSERT leaves out ------------------------------------------------------------------

_FILL = """
CREATE TRIGGER whatsapp_queue_fill AFTER INSERT ON whatsapp_queue
WHEN NEW.phone IS NULL OR (NEW.day IS NULL AND NEW.message_template IS NOT NULL)
BEGIN
    UPDATE whatsapp_queue
    SET phone = coalesce(phone, (SELECT phone FROM leads WHERE id = NEW.lead_id)),
        day = coalesce(
            day, (SELECT delay_days FROM whatsapp_templates WHERE name = NEW.message_template)
        )
    WHERE id = NEW.id;
END
"""
_PHONE = """
CREATE TRIGGER leads_phone_changed AFTER UPDATE OF phone ON leads
WHEN NEW.phone IS NOT OLD.phone
BEGIN
    UPDATE whatsapp_queue SET phone = NEW.phone WHERE lead_id = NEW.id AND status = 'pending';
END
"""

# --- when a campaign begins and ends ------------------------------------------------------------

# A message put (back) into the queue lets a campaign that ended by itself, or never was, go on;
# one that a person stopped, or a "no", stays stopped.
_GO_ON = """
    UPDATE leads SET whatsapp_campaign_active = 1
    WHERE id = NEW.lead_id
        AND whatsapp_campaign_active = 0
        AND (campaign_end IS NULL OR campaign_end = 'finished')
        AND is_target IS NOT 0
        AND NOT EXISTS (
            SELECT 1 FROM leads AS other
            WHERE other.phone = leads.phone AND other.whatsapp_campaign_active = 1
        );
"""
_QUEUED = f"""
CREATE TRIGGER whatsapp_queue_queued AFTER INSERT ON whatsapp_queue
WHEN NEW.status = 'pending'
BEGIN
    {_GO_ON}
END
"""
_REVIVED = f"""
CREATE TRIGGER whatsapp_queue_revived AFTER UPDATE OF status ON whatsapp_queue
WHEN NEW.status = 'pending' AND OLD.status IN ('failed', 'unknown', 'cancelled')
BEGIN
    UPDATE whatsapp_queue SET revived = 1, first_failed_at = NULL, error_message = NULL
    WHERE id = NEW.id;
    {_GO_ON}
END
"""
_FINISH = """
    UPDATE leads SET whatsapp_campaign_active = 0, campaign_end = 'finished'
    WHERE id = OLD.lead_id
        AND whatsapp_campaign_active = 1
        AND NOT EXISTS (
            SELECT 1 FROM whatsapp_queue
            WHERE lead_id = OLD.lead_id AND status IN ('pending', 'sending')
        );
"""
_FINAL = f"""
CREATE TRIGGER whatsapp_queue_final AFTER UPDATE OF status ON whatsapp_queue
WHEN NEW.status NOT IN ('pending', 'sending')
BEGIN
    {_FINISH}
END
"""
_DELETED = f"""
CREATE TRIGGER whatsapp_queue_deleted AFTER DELETE ON whatsapp_queue
BEGIN
    {_FINISH}
END
"""
# The daemon names the end in the same statement; a person's plain FALSE is a stop.
_STOPPED = """
CREATE TRIGGER leads_campaign_stopped AFTER UPDATE OF whatsapp_campaign_active ON leads
WHEN OLD.whatsapp_campaign_active = 1 AND NEW.whatsapp_campaign_active = 0
    AND NEW.campaign_end IS NULL
BEGIN
    UPDATE leads SET campaign_end = 'stopped' WHERE id = NEW.id;
END
"""
_STARTED = """
CREATE TRIGGER leads_campaign_started AFTER UPDATE OF whatsapp_campaign_active ON leads
WHEN OLD.whatsapp_campaign_active = 0 AND NEW.whatsapp_campaign_active = 1
BEGIN
    UPDATE leads SET campaign_end = NULL,
        campaign_started_at = coalesce(campaign_started_at, datetime('now'))
    WHERE id = NEW.id;
END
"""

# --- what a sent message writes on the lead -----------------------------------------------------

_SENT = """
CREATE TRIGGER whatsapp_queue_sent AFTER UPDATE OF status ON whatsapp_queue
WHEN NEW.status = 'sent' AND OLD.status <> 'sent'
BEGIN
    UPDATE whatsapp_queue
    SET sent_at = coalesce(sent_at, attempted_at, datetime('now')), error_message = NULL
    WHERE id = NEW.id;
    UPDATE leads
    SET last_whatsapp_sent_at = max(
        coalesce(last_whatsapp_sent_at, ''),
        coalesce(NEW.sent_at, NEW.attempted_at, datetime('now'))
    )
    WHERE id = NEW.lead_id OR phone = NEW.phone;
END
"""

# --- which posts a change makes stale -----------------------------------------------------------

# A card also tells of the client's other requests, so those of the same phone are looked at too.
_STALE = """
    UPDATE posts SET version = version + 1
    WHERE lead_id IN (
        SELECT {lead} UNION SELECT id FROM leads WHERE phone IN ({phones})
    );
"""
_OF_LEAD = "SELECT phone FROM leads WHERE id = {row}.lead_id"
_CARD = f"""
CREATE TRIGGER leads_card AFTER INSERT ON leads
BEGIN
    {_STALE.format(lead="NEW.id", phones="NEW.phone")}
    INSERT INTO posts (kind, lead_id, created_at) VALUES ('card', NEW.id, NEW.created_at);
END
"""
_LEAD_CHANGED = f"""
CREATE TRIGGER leads_changed AFTER UPDATE OF
    name, phone, phone_raw, course, email, comment, extra, source, problems, call_status,
    is_target, step, whatsapp_campaign_active, campaign_end, created_at
ON leads
BEGIN
    {_STALE.format(lead="NEW.id", phones="OLD.phone, NEW.phone")}
END
"""
# The command line of SQLite does not follow foreign keys: what hangs on a lead goes with it here.
_LEAD_DELETED = f"""
CREATE TRIGGER leads_deleted AFTER DELETE ON leads
BEGIN
    DELETE FROM posts WHERE lead_id = OLD.id;
    DELETE FROM lead_events WHERE lead_id = OLD.id;
    DELETE FROM raw_requests WHERE lead_id = OLD.id;
    DELETE FROM whatsapp_queue WHERE lead_id = OLD.id;
    {_STALE.format(lead="OLD.id", phones="OLD.phone")}
END
"""
_ROW_CHANGED = f"""
CREATE TRIGGER whatsapp_queue_changed AFTER UPDATE OF
    status, scheduled_at, sent_at, phone, message_text, error_message
ON whatsapp_queue
BEGIN
    {_STALE.format(lead="NEW.lead_id", phones=_OF_LEAD.format(row="NEW"))}
END
"""
_ROW_ADDED = f"""
CREATE TRIGGER whatsapp_queue_added AFTER INSERT ON whatsapp_queue
BEGIN
    {_STALE.format(lead="NEW.lead_id", phones=_OF_LEAD.format(row="NEW"))}
END
"""
_ROW_REMOVED = f"""
CREATE TRIGGER whatsapp_queue_removed AFTER DELETE ON whatsapp_queue
BEGIN
    DELETE FROM posts WHERE queue_id = OLD.id;
    {_STALE.format(lead="OLD.lead_id", phones=_OF_LEAD.format(row="OLD"))}
END
"""
_EVENT = """
CREATE TRIGGER lead_events_added AFTER INSERT ON lead_events
BEGIN
    UPDATE posts SET version = version + 1 WHERE lead_id = NEW.lead_id;
END
"""


def upgrade() -> None:
    for table in ("leads", "whatsapp_queue", "whatsapp_templates", "fsm", "memory"):
        op.execute(_UPDATED.format(table=table))
    for trigger in (
        *(_STATUS_GUARD, _INSERT_GUARD, _FILL, _PHONE),
        *(_QUEUED, _REVIVED, _FINAL, _DELETED, _STOPPED, _STARTED, _SENT),
        *(_CARD, _LEAD_CHANGED, _LEAD_DELETED, _ROW_CHANGED, _ROW_ADDED, _ROW_REMOVED, _EVENT),
    ):
        op.execute(trigger)
