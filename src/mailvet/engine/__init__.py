"""The work: claim, resolve, group by route, visit, judge, retry, settle."""
