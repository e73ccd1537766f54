// Package drift compares what models meet in a plant with what they were trained on.
//
// Once a day, and when somebody asks, a job draws a bounded sample of each tenant's
// predictions of the last days and recomputes the features that the models saw: windows
// of readings by inference/recall for fault classifiers, the daily features for failure
// predictors. Every version that answered (production and canaries) gets a report:
//
//   - the population stability index (PSI) of each feature against the version's own
//     reference histograms (artifact.Reference), mixed in the proportions of the labels
//     that were predicted, so that a plant in which most machines are well is not
//     compared with training data in which most are not;
//   - label shift, the PSI of the predicted labels against the first full window in which
//     the version served the tenant;
//   - coverage: how many values were there, how many sensors were heard, how many windows
//     were out of distribution, and how large label sets are and how often they held what
//     people found to be true.
//
// A PSI from 0.1 on is moderate, from 0.25 on severe, once what so few machines vary by
// chance is taken off (see PSI). A severe report of a version that serves proposes to
// train the model anew: a person accepts or dismisses that, or the model's policy accepts
// by itself.
package drift
