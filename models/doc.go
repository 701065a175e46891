// Package models describes networks as nn specs: residual networks for small images, by name.
//
// Models are data. They take the images' own size and channels and the number of classes, and name their parameters as
// torchvision does (conv1, bn1, layer1.0.conv1, …, fc), so weights move to and from PyTorch by name.
package models
