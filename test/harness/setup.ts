// Nest's packages import each other in a cycle that only resolves when they are loaded in this order.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
