package dev.mailvet.client;

import dev.mailvet.v1.ExplainEmailResponse;
import dev.mailvet.v1.ExportResultsResponse;
import dev.mailvet.v1.GoingAway;
import dev.mailvet.v1.StreamResultsRequest;
import dev.mailvet.v1.StreamResultsResponse;
import dev.mailvet.v1.WatchBatchResponse;

/** What the frames of each stream say about it. */
final class FrameKinds {
  private FrameKinds() {}

  static final class Results implements Frames.Kind<StreamResultsResponse> {
    private StreamResultsRequest asked;

    Results(StreamResultsRequest request) {
      asked = request;
    }

    /** What to ask for now: what comes after the last frame that was consumed. */
    StreamResultsRequest asked() {
      return asked;
    }

    @Override
    public boolean isDone(StreamResultsResponse frame) {
      return frame.getDone();
    }

    @Override
    public GoingAway goingAway(StreamResultsResponse frame) {
      return frame.hasGoingAway() ? frame.getGoingAway() : null;
    }

    @Override
    public void consumed(StreamResultsResponse frame) {
      if (!frame.getCursor().isEmpty()) {
        asked = asked.toBuilder().setCursor(frame.getCursor()).build();
      }
    }

    @Override
    public boolean isRepeat(StreamResultsResponse frame) {
      // Results move the cursor: such a frame was here before.
      return frame.getResultsCount() > 0 && frame.getCursor().equals(asked.getCursor());
    }
  }

  static final class Progress implements Frames.Kind<WatchBatchResponse> {
    @Override
    public boolean isDone(WatchBatchResponse frame) {
      return frame.getDone();
    }

    @Override
    public GoingAway goingAway(WatchBatchResponse frame) {
      return frame.hasGoingAway() ? frame.getGoingAway() : null;
    }
  }

  static final class Pieces implements Frames.Kind<ExportResultsResponse> {
    @Override
    public boolean isDone(ExportResultsResponse frame) {
      return frame.getDone();
    }

    @Override
    public GoingAway goingAway(ExportResultsResponse frame) {
      return frame.hasGoingAway() ? frame.getGoingAway() : null;
    }
  }

  static final class Steps implements Frames.Kind<ExplainEmailResponse> {
    @Override
    public boolean isDone(ExplainEmailResponse frame) {
      return frame.hasResult();
    }

    @Override
    public GoingAway goingAway(ExplainEmailResponse frame) {
      return null;
    }
  }
}
