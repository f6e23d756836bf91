"""What an account at Twilio holds, and what its calls do: the parts of `tests.doubles.twilio_rest.TwilioRest`."""
