"""When a task is tried again: what the provider or the network may mend by themselves, and nothing else."""

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

_NO_USE = {
    "waybill.flow.results.IncompleteError": "the source is incomplete: land it again whole",
    "waybill.flow.results.HeldBackError": "too many records were rejected: look at `waybill rejected list`",
    "waybill.model.errors.UsageError": "the parameters are off: trigger it again, corrected",
    "waybill.model.errors.ConfigurationError": "a setting or a credential is wrong: fix it, then clear the task",
    "waybill.model.errors.QualityGateError": "a rule failed: nothing was published; look at the named rule",
    "waybill.model.errors.CeilingError": "too many records were rejected: look at `waybill rejected list`",
}

DEFAULTS = {
    "owner": "data-engineering",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(
                exception="waybill.model.errors.UnavailableError",
                action=RetryAction.RETRY,
                reason="the warehouse does not answer, or another process holds a lock: the task is tried again",
            ),
            *(RetryRule(exception=name, action=RetryAction.FAIL, reason=reason) for name, reason in _NO_USE.items()),
        ]
    ),
    "execution_timeout": timedelta(hours=2),
}
