-- What a call comes to, in one row. docs/kpis.md defines the columns of `facts`; what is defined in Python, too, is held
-- to that by tests: when the agent speaks (voicebot.evals.scores.timeline.agent_speech), what a call cost
-- (voicebot.costs). The macros are those of facts.py.

-- Who spoke from when to when.
create view speech as
with stretches as (
    select call, type, t_ms, speech_start_ms, speech_end_ms,
        count(*) filter (type = 'caller_speech_started') over (partition by call order by seq) as nth
    from events where type in ('caller_speech_started', 'caller_speech_stopped', 'call_ended')
), marks as (
    select call, seq, type, t_ms, type in ('agent_speech_started', 'agent_resumed') as speaks,
        lead(type) over w as next, lead(t_ms) over w as next_ms, lag(type) over w as prev, lag(t_ms) over w as prev_ms
    from events where type in
        ('agent_speech_started', 'agent_paused', 'agent_resumed', 'agent_speech_stopped', 'call_ended')
    window w as (partition by call order by seq)
), edges as (
    select *, lag(speaks) over (partition by call order by seq) as spoke from marks
    where not (type = 'agent_paused' and next = 'agent_resumed' and next_ms - t_ms <= hesitation_ms())
        and not (type = 'agent_resumed' and prev = 'agent_paused' and t_ms - prev_ms <= hesitation_ms())
), runs as (
    select call, speaks, t_ms as starts_ms, lead(t_ms) over (partition by call order by seq) as ends_ms
    from edges where speaks <> coalesce(spoke, false)
)
select call, 'caller' as who, min(speech_start_ms) as starts_ms, coalesce(max(speech_end_ms), max(t_ms)) as ends_ms
    from stretches where nth > 0 group by call, nth
union all
select call, 'agent', starts_ms, ends_ms from runs where speaks and ends_ms is not null;

-- What everything that was used cost; null where it has no price.
create view costs as
with used as (
    select e.call, 'llm' as kind, e.provider, coalesce(e.cost_usd, case when e.input_tokens <= p.longest_prompt
        or p.longest_prompt is null then ((e.input_tokens - coalesce(e.cached_tokens, 0)) * p.input
        + coalesce(e.cached_tokens, 0) * p.cached + e.output_tokens * p.output) / 1e6 end) as usd
    from events e left join token_prices p on p.provider = e.provider where e.type = 'model_used'
  union all
    select e.call, e.kind, e.provider, coalesce(e.cost_usd, coalesce(e.seconds, 0) / 60 * p.minute
        + coalesce(e.characters, 0) / 1000 * p.thousand_characters)
    from events e left join speech_prices p on p.kind = e.kind and p.provider = e.provider
    where e.type = 'speech_used'
), begun as (
    select call, any_value(stt) filter (rate_hz > 0) as stt, any_value(tts) filter (rate_hz > 0) as tts,
        any_value(transport) as transport from events where type = 'call_started' group by call
), untold as (  -- records from before speech was told
    select * from begun where call not in (select call from events where type = 'speech_used')
), said as (
    select call, sum(length(text)) as characters from events where type = 'agent_saying' group by call
), lasted as (
    select call, who, sum(ends_ms - starts_ms) / 1000 as seconds from speech group by call, who
)
select * from used
union all
select u.call, 'stt', u.stt, coalesce(l.seconds, 0) / 60 * p.minute
    from untold u left join lasted l on l.call = u.call and l.who = 'caller'
    left join speech_prices p on p.kind = 'stt' and p.provider = u.stt where u.stt <> ''
union all
select u.call, 'tts', u.tts,
    case when p.provider is not null then coalesce(s.characters, 0) / 1000 * p.thousand_characters end
    from untold u left join said s using (call)
    left join speech_prices p on p.kind = 'tts' and p.provider = u.tts where u.tts <> ''
union all
select b.call, 'telephony', b.transport, ceil(t.ms / 60000) * p.minute
    from begun b join line_prices p using (transport)
    join (select call, max(t_ms) as ms from events group by call) t using (call);

create view facts as
with one as (
    select call,
        any_value(agent) filter (type = 'call_started') as agent,
        any_value(agent_sha256) filter (type = 'call_started') as agent_sha256,
        any_value(started_at) filter (type = 'call_started') as started_at,
        any_value(transport) filter (type = 'call_started') as transport,
        any_value(caller) filter (type = 'call_started') as caller,
        any_value(clock) filter (type = 'call_started') as clock,
        any_value(stt) filter (type = 'call_started') as stt,
        any_value(tts) filter (type = 'call_started') as tts,
        any_value(brain) filter (type = 'call_started') as brain,
        bool_or(rate_hz > 0) filter (type = 'call_started') as spoken,
        max(t_ms) as duration_ms,
        arg_max(reason, seq) filter (type = 'call_ended') as ended,
        coalesce(arg_max(detail, seq) filter (type = 'call_ended'), '') as detail,
        coalesce(max(times) filter (type = 'caller_silent'), 0) >= silences() as gone_silent,
        count(*) filter (type = 'tool_returned') as tools,
        count(*) filter (type = 'tool_returned' and ok) as tools_ok,
        arg_max(ok, seq) filter (type = 'tool_returned') as last_tool_ok,
        count(*) filter (type = 'agent_speech_stopped') as replies,
        count(*) filter (type = 'agent_speech_stopped' and interrupted) as interrupted,
        count(*) filter (type = 'provider_failed') as provider_failures
    from events group by call
), replies as (
    select call, count(*) as turns, count(v2v_ms) as answered, list(v2v_ms) filter (v2v_ms is not null) as v2v_ms,
        count(*) filter (asks_again(said)) as repeats,
        max(speech_end_ms) filter (v2v_ms is null) as unanswered_ms, max(speech_end_ms) as last_ms
    from answers group by call
), talk as (
    select call, sum(ends_ms - starts_ms) filter (who = 'caller') as caller_ms,
        sum(ends_ms - starts_ms) filter (who = 'agent') as agent_ms
    from speech group by call
), both_ as (
    select a.call, sum(least(a.ends_ms, b.ends_ms) - greatest(a.starts_ms, b.starts_ms)) as both_ms
    from speech a join speech b on a.call = b.call and a.who = 'agent' and b.who = 'caller'
        and a.starts_ms < b.ends_ms and b.starts_ms < a.ends_ms group by a.call
), paid as (
    select call, case when count(*) = count(usd) then sum(usd) end as cost_usd,
        sum(usd) filter (kind = 'llm') as llm_usd, sum(usd) filter (kind = 'stt') as stt_usd,
        sum(usd) filter (kind = 'tts') as tts_usd, sum(usd) filter (kind = 'telephony') as telephony_usd,
        list(distinct provider order by provider) filter (usd is null) as unpriced
    from costs group by call
), told as (
    select one.*, coalesce(a.turns, 0) as turns, coalesce(a.answered, 0) as answered, a.v2v_ms,
        coalesce(a.repeats, 0) as repeats,
        case when spoken then coalesce(t.caller_ms, 0) end as caller_ms,
        case when spoken then coalesce(t.agent_ms, 0) end as agent_ms,
        case when spoken then coalesce(b.both_ms, 0) end as both_ms,
        coalesce(a.unanswered_ms = a.last_ms and one.duration_ms - a.last_ms >= patience_ms(), false) as kept_waiting,
        coalesce(ended = 'agent_hung_up', false) and not gone_silent and detail not in ('budget', 'the server stops')
            as finished,
        case when p.call is null then 0 else p.cost_usd end as cost_usd,
        p.llm_usd, p.stt_usd, p.tts_usd, p.telephony_usd, p.unpriced
    from one left join replies a using (call) left join talk t using (call) left join both_ b using (call)
        left join paid p using (call)
), judged as (
    select *, case
        when ended is null or ended = 'interrupted' or detail = 'the server stops' then null
        when ended in ('failed', 'lost') or detail = 'budget' then 'failed'
        when ended = 'handed_over' then 'transferred'
        when ended = 'agent_hung_up' then if(gone_silent, 'abandoned', 'contained')
        when answered = 0 or kept_waiting then 'abandoned'
        else 'contained' end as outcome
    from told
)
select call, agent, agent_sha256, started_at, left(started_at, 10) as day, transport, caller, clock, stt, tts, brain,
    ended, outcome, finished or tools > 0 as has_a_task,
    coalesce(outcome = 'contained' and (finished or coalesce(last_tool_ok, false)), false) as completed,
    duration_ms / 1000 as duration_s, turns, answered, v2v_ms, repeats, replies, interrupted, tools, tools_ok,
    caller_ms, agent_ms, both_ms, greatest(0, duration_ms - caller_ms - agent_ms + both_ms) as silent_ms,
    provider_failures, cost_usd, llm_usd, stt_usd, tts_usd, telephony_usd, unpriced
from judged;
