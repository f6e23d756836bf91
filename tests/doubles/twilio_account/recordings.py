"""Twilio's own recordings of calls: begun, paused, gone on with, stopped; and what is told about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.doubles.twilio_account.parameters import Refusal, Sent, one
from tests.doubles.twilio_account.records import BASE, VERSION, now, sid
from tests.doubles.twilio_stream import ACCOUNT_SID

if TYPE_CHECKING:
    from tests.doubles.twilio_account.calls import PhoneCall
    from tests.doubles.twilio_rest import TwilioRest


class Recording:
    """One. `history` has every status it was in."""

    def __init__(self, call: PhoneCall, channels: str, callback: str, events: str) -> None:
        self.sid = sid("RE")
        self.call = call
        self.status = "in-progress"
        self.history = ["in-progress"]
        self.pause_behavior = ""
        self.channels = 2 if channels == "dual" else 1
        self.callback, self.events = callback, events

    def become(self, status: str) -> None:
        self.status = status
        self.history.append(status)

    def json(self) -> dict[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "api_version": VERSION,
            "call_sid": self.call.sid,
            "conference_sid": None,
            "date_created": now(),
            "date_updated": now(),
            "start_time": now(),
            "duration": "3" if self.status == "completed" else None,
            "sid": self.sid,
            "price": None,
            "price_unit": "USD",
            "status": self.status,
            "channels": self.channels,
            "source": "StartCallRecordingAPI",
            "error_code": None,
            "track": "both",
            "encryption_details": None,
            "uri": f"{BASE}/Calls/{self.call.sid}/Recordings/{self.sid}.json",
            "subresource_uris": {},
            "media_url": f"https://api.twilio.com{BASE}/Recordings/{self.sid}",
        }


class Recordings(dict[str, Recording]):
    """All of them, by SID."""

    def __init__(self, twilio: TwilioRest) -> None:
        super().__init__()
        self._twilio = twilio

    def create(self, call: PhoneCall, sent: Sent) -> Recording:
        """Raises Refusal."""
        if call.status != "in-progress":
            raise Refusal(400, 21220, "Requested resource is not eligible for recording")
        attributes = {
            "recordingChannels": one(sent, "RecordingChannels", "mono"),
            "recordingStatusCallback": one(sent, "RecordingStatusCallback"),
            "recordingStatusCallbackEvent": " ".join(sent.get("RecordingStatusCallbackEvent", ["completed"])),
        }
        return self.begin(call, attributes)

    def begin(self, call: PhoneCall, attributes: Mapping[str, str]) -> Recording:
        recording = Recording(
            call,
            attributes.get("recordingChannels", "mono"),
            attributes.get("recordingStatusCallback", ""),
            attributes.get("recordingStatusCallbackEvent", "completed"),
        )
        self[recording.sid] = recording
        self._tell(recording, "in-progress")
        return recording

    def change(self, call: PhoneCall, name: str, sent: Sent) -> Recording:
        """Raises Refusal."""
        if name == "Twilio.CURRENT":
            name = next((each.sid for each in reversed(self.values()) if each.call is call), name)
        recording = self.get(name)
        if recording is None or recording.call is not call:
            path = f"{BASE}/Calls/{call.sid}/Recordings/{name}.json"
            raise Refusal(404, 20404, f"The requested resource {path} was not found")
        if recording.status not in ("in-progress", "paused"):
            raise Refusal(400, 21220, "Recording is not in-progress. Cannot change its status.")
        recording.become(one(sent, "Status"))
        recording.pause_behavior = one(sent, "PauseBehavior", "silence")
        if recording.status == "stopped":
            self._completed(recording)
        return recording

    def call_is_over(self, call: PhoneCall) -> None:
        for recording in self.values():
            if recording.call is call and recording.status in ("in-progress", "paused"):
                self._completed(recording)

    def _completed(self, recording: Recording) -> None:
        recording.become("completed")
        self._tell(recording, "completed")

    def _tell(self, recording: Recording, status: str) -> None:
        if not recording.callback or status not in recording.events.split():
            return
        form = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": recording.call.sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": f"https://api.twilio.com{BASE}/Recordings/{recording.sid}",
            "RecordingStatus": status,
            "RecordingDuration": "3" if status == "completed" else "-1",
            "RecordingChannels": str(recording.channels),
            "RecordingStartTime": now(),
            "RecordingSource": "StartCallRecordingAPI",
            "RecordingTrack": "both",
        }
        self._twilio.owned(self._twilio.callback(recording.callback, form))
